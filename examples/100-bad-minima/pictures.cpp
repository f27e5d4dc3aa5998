#include "pictures.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "picture_script.hpp"
#include "plan.hpp"

namespace rg = regimen;

namespace {

/// A piece of a curve's axis: a phase, and where on the axis it begins.
struct Stretch {
  const rg::History& history;
  int begin = 0;

  [[nodiscard]] int length() const { return history.back().clock.epoch; }
  [[nodiscard]] int end() const { return begin + length(); }
};

void write_curve(std::ostream& out, const Stretch& phase) {
  const auto cell = [](const rg::Score& score) {
    return score.scored() ? std::to_string(100 * score.accuracy) : "NaN";
  };
  for (const rg::Epoch& epoch : phase.history) {
    if (epoch.scored()) {
      out << phase.begin + epoch.clock.epoch << " " << cell(epoch.fit) << " " << cell(epoch.clean) << " "
          << cell(epoch.test) << "\n";
    }
  }
  out << "\n";
}

/// The round number of epochs, 5, 10, 20, 50, ..., between the ticks of an axis that has at most eight.
int tick_step(int epochs) {
  for (int decade = 5;; decade *= 10) {
    for (const int step : {decade, 2 * decade, 4 * decade}) {
      if (epochs <= 7 * step) {
        return step;
      }
    }
  }
}

/// Ticks that count the epochs of each phase from 0. The last of a phase gives way to the next one's 0.
std::string ticks(const std::vector<Stretch>& phases) {
  const int step = tick_step(phases.back().end());
  std::string text;
  for (std::size_t i = 0; i < phases.size(); ++i) {
    const bool last = i + 1 == phases.size();
    for (int epoch = 0; epoch <= phases[i].length(); epoch += step) {
      if (last || epoch == 0 || phases[i].length() - epoch > step / 2) {
        text += (text.empty() ? "'" : ", '") + std::to_string(epoch) + "' " + std::to_string(phases[i].begin + epoch);
      }
    }
  }
  return text;
}

const rg::History* memorizing_of(const Results& results, const Group& group, std::uint64_t seed) {
  for (const Memorized& memorized : results.memorized) {
    if (memorized.model == group.model && memorized.copies == group.copies && memorized.seed == seed) {
      return &memorized.history;
    }
  }
  return nullptr;
}

/// The arms that are shown, column by column: vanilla from both starts, then all three.
std::vector<const Arm*> arms_shown(const Results& results, const Group& group, std::uint64_t seed) {
  std::vector<const Arm*> shown;
  for (const char* const regularizers : {"vanilla", "all three"}) {
    for (const int copies : {0, group.copies}) {
      for (const Arm& arm : results.arms) {
        if (arm.model == group.model && arm.seed == seed && arm.copies == copies && arm.regularizers == regularizers) {
          shown.push_back(&arm);
        }
      }
    }
  }
  return shown;
}

/// What a set is called in a picture: "all three" is no name to whoever sees the picture alone.
std::string title_of(const std::string& regularizers) {
  if (regularizers == "vanilla") {
    return "vanilla SGD";
  }
  return regularizers == "all three" ? "augmentation + l2 + momentum" : regularizers;
}

/// The random labels' phase is shaded, and each phase says above what it is trained on.
void mark_phases(std::ostream& script, const std::vector<Stretch>& phases) {
  script << "unset object\nunset label\nset title offset 0,0.6\n";
  if (phases.size() < 2) {
    return;
  }
  const int boundary = phases[1].begin;
  script << "set object 1 rectangle from 0,0 to " << boundary
         << ",100 fillcolor '#eeeeee' fillstyle solid noborder behind\n";
  // A narrow phase has its words on two lines, and the title makes room for them.
  const bool narrow = 3 * boundary < phases[1].end();
  script << "set title offset 0," << (narrow ? 1.6 : 0.6) << "\n";
  const auto label = [&](const char* what, int begin) {
    script << "set label \"" << what << (narrow ? "\\n" : " ") << "labels\" at " << begin << "," << (narrow ? 118 : 109)
           << " left textcolor '" << grey << "'\n";
  };
  label("random", 0);
  label("true", boundary);
}

void draw_panel(Script& script, int panel, const Arm& arm, const rg::History* memorize) {
  std::vector<Stretch> phases;
  if (!arm.from_random()) {
    phases.push_back({*memorize, 0});
  }
  phases.push_back({arm.history, phases.empty() ? 0 : phases.back().end()});
  {
    std::ofstream data = script.data(std::to_string(panel));
    for (const Stretch& phase : phases) {
      write_curve(data, phase);
    }
  }
  script() << "set title \"" << static_cast<char>('a' + panel) << ") "
           << (arm.from_random() ? "from random weights" : "from random labels") << ": " << title_of(arm.regularizers)
           << "\"\n";
  mark_phases(script(), phases);
  script() << "set ylabel '" << (panel < 2 ? "accuracy (%)" : "")
           << "' offset 1,0\nset xrange [0:" << phases.back().end() << "]\nset xtics (" << ticks(phases) << ")\n"
           << (panel == 0 ? "set key bottom right spacing 1.2 samplen 3\n" : "unset key\n") << "plot "
           << script.file(std::to_string(panel))
           << " using 1:2 with lines linestyle 1 title 'labels it is trained on', '' using 1:3 with "
              "linespoints linestyle 2 title 'true labels of the training images', '' using 1:4 with linespoints "
              "linestyle 3 "
              "title 'test images'\n";
}

}  // namespace

void draw_curves(const Results& results, const Group& group, const std::string& name, const Settings& settings) {
  const rg::History* const memorize = memorizing_of(results, group, settings.first_seed);
  const std::vector<const Arm*> shown = arms_shown(results, group, settings.first_seed);
  if (memorize == nullptr || shown.size() < 4) {
    return;
  }
  Script script(settings.out + "/pictures", name, Script::page_width, 1400);
  script() << "set multiplot layout 2,2 columnsfirst margins 0.075,0.985,0.085,0.93 spacing 0.085,0.2\n"
           << "set yrange [0:105]\nset ytics 20\nset xlabel 'epochs of the phase' offset 0,0.4\n"
           << "set style line 1 linecolor '" << grey << "' linewidth 1\n"
           << "set style line 2 linecolor '" << blue << "' linewidth 1 dashtype 2 pointtype 4 pointsize 1.6\n"
           << "set style line 3 linecolor '" << red << "' linewidth 1.4 pointtype 7 pointsize 1.6\n";
  for (std::size_t panel = 0; panel < shown.size(); ++panel) {
    draw_panel(script, static_cast<int>(panel), *shown[panel], memorize);
  }
  script() << "unset multiplot\n";
}

void draw_holes(const Group& group, const std::string& name, const Settings& settings) {
  const bool holes = group.all_fitted();
  const bool many = group.comparisons.size() > 3;
  Script script(settings.out + "/pictures", name, holes ? Script::page_width : Script::page_width / 2,
                many ? 1000 : 800);
  {
    std::ofstream data = script.data("arms");
    const auto width = [](const rg::Interval& value) { return std::isnan(value.half_width) ? 0 : value.half_width; };
    int row = 0;
    for (const Comparison& c : group.comparisons) {
      const std::string title = many                            ? c.regularizers
                                : c.regularizers == "all three" ? "augmentation\\n+ l2 + momentum"
                                                                : title_of(c.regularizers);
      data << row++ << " \"" << title << "\" " << c.random.mean << " " << width(c.random) << " " << c.adversarial.mean
           << " " << width(c.adversarial);
      if (holes) {
        data << " " << c.hole.mean << " " << width(c.hole);
      }
      data << "\n";
    }
  }
  const auto n = static_cast<double>(group.comparisons.size());
  // An empty plot with the names gives the ticks their place between the two points of each set.
  script() << "set multiplot layout 1," << (holes ? 2 : 1) << " margins " << (holes ? 0.07 : 0.15) << ",0.985,"
           << (many ? 0.4 : 0.16) << ",0.96 spacing 0.1,0\n"
           << (many ? "set xtics rotate by 40 right\n" : "") << "set xrange [-0.6:" << n - 0.4
           << "]\nset key top left Left reverse\nset bars 0.7\nset offsets 0,0,0.8,0.4\n"
           << "set ylabel 'test accuracy (%)'\n"
           << "plot " << script.file("arms") << " using 1:3:xtic(2) with points pointtype -1 notitle, ''"
           << " using ($1-0.08):3:4 with yerrorbars linewidth 1.4 pointtype 7 pointsize 2 linecolor '" << blue
           << "' title 'from random weights', '' using ($1+0.08):5:6 with yerrorbars linewidth 1.4 pointtype 4 "
              "pointsize 2 linecolor '"
           << red << "' title 'from random labels'\n";
  if (holes) {
    script() << "set ylabel 'test accuracy lost (points)'\n"
             << "set style fill solid 0.35 border\nset boxwidth 0.4\nunset key\nset yrange [*:*]\nset offsets "
                "0,0,0.4,0\n"
             << "set arrow from -0.6,0 to " << n - 0.4 << ",0 nohead linecolor '#444444'\n"
             << "plot " << script.file("arms") << " using 1:7:xtic(2) with boxes linecolor '" << red
             << "', '' using 1:($7-$8):(0):(2*$8) with vectors heads size screen 0.006,90 linewidth 1.4 linecolor '"
             << black << "'\n";
  }
  script() << "unset multiplot\n";
}

void finish_pictures(const Settings& settings) {
  const std::string folder = settings.out + "/pictures";
  if (std::system("gnuplot --version > /dev/null 2>&1") != 0) {
    std::printf(
        "gnuplot is not installed, so there are no pictures yet. Install it (Debian: gnuplot-nox), then:\n"
        "  cd %s && for script in *.gp; do gnuplot $script; done\n",
        folder.c_str());
    return;
  }
  const std::string command = "cd '" + folder + "' && for script in *.gp; do gnuplot \"$script\" || exit 1; done";
  if (std::system(command.c_str()) != 0) {
    std::printf("gnuplot could not draw every picture; try: %s\n", command.c_str());
    return;
  }
  std::printf("Pictures: %s/*.png\n", folder.c_str());
}
