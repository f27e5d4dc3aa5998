#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "picture_script.hpp"
#include "pictures.hpp"

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

/// A number below an axis.
struct Tick {
  std::string text;
  int place = 0;

  /// Whether two of them would touch on an axis of so many epochs.
  [[nodiscard]] bool touches(const Tick& other, int axis) const {
    const double digit = 0.018 * axis;  // width of one, on a panel of half a page
    const auto digits = static_cast<double>(text.size() + other.text.size());
    return std::abs(place - other.place) < digit * (digits / 2 + 1);
  }
};

/// Ticks that count the epochs of each phase from 0. The end of every phase has one, "24|0" where the next begins;
/// others give way to those.
std::string ticks(const std::vector<Stretch>& phases) {
  const int axis = phases.back().end();
  std::vector<Tick> placed;
  for (std::size_t i = 0; i < phases.size(); ++i) {
    const bool last = i + 1 == phases.size();
    placed.push_back({std::to_string(phases[i].length()) + (last ? "" : "|0"), phases[i].end()});
  }
  const auto place_if_free = [&](const Tick& tick) {
    const auto near = [&](const Tick& other) { return tick.touches(other, axis); };
    if (std::none_of(placed.begin(), placed.end(), near)) {
      placed.push_back(tick);
    }
  };
  for (const Stretch& phase : phases) {
    for (int epoch = 0; epoch < phase.length(); epoch += tick_step(axis)) {
      place_if_free({std::to_string(epoch), phase.begin + epoch});
    }
  }
  std::string text;
  for (const Tick& tick : placed) {
    text += (text.empty() ? "'" : ", '") + tick.text + "' " + std::to_string(tick.place);
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

/// The arms that are shown, row by row: from random weights vanilla and with all three, then from random labels.
std::vector<const Arm*> arms_shown(const Results& results, const Group& group, std::uint64_t seed) {
  std::vector<const Arm*> shown;
  for (const int copies : {0, group.copies}) {
    for (const char* const regularizers : {"vanilla", "all three"}) {
      for (const Arm& arm : results.arms) {
        if (arm.model == group.model && arm.seed == seed && arm.copies == copies && arm.regularizers == regularizers) {
          shown.push_back(&arm);
        }
      }
    }
  }
  return shown;
}

/// The phases of an arm, that on random labels included.
std::vector<Stretch> phases_of(const Arm& arm, const rg::History& memorize) {
  if (arm.from_random()) {
    return {{arm.history, 0}};
  }
  const Stretch first{memorize, 0};
  return {first, {arm.history, first.end()}};
}

/// Whether the words above the first of two phases need two lines.
bool is_narrow(const std::vector<Stretch>& phases) {
  return phases.size() > 1 && 3 * phases[1].begin < phases[1].end();
}

/// The random labels' phase is shaded, and each phase says above what it is trained on. `narrow`: on two lines, for
/// which the title makes room. All panels of a row have it alike, so that their titles line up.
void mark_phases(std::ostream& script, const std::vector<Stretch>& phases, bool narrow) {
  script << "unset object\nunset label\nset title offset 0,0.6\n";
  if (phases.size() < 2) {
    return;
  }
  const int boundary = phases[1].begin;
  script << "set object 1 rectangle from 0,0 to " << boundary
         << ",100 fillcolor '#eeeeee' fillstyle solid noborder behind\n";
  script << "set title offset 0," << (narrow ? 1.6 : 0.6) << "\n";
  const auto label = [&](const char* what, int begin) {
    script << "set label \"" << what << (narrow ? "\\n" : " ") << "labels\" at " << begin << "," << (narrow ? 118 : 109)
           << " left textcolor '" << black << "'\n";
  };
  label("random", 0);
  label("true", boundary);
}

void draw_panel(Script& script, int panel, const Arm& arm, const std::vector<Stretch>& phases, bool narrow) {
  {
    std::ofstream data = script.data(std::to_string(panel));
    for (const Stretch& phase : phases) {
      write_curve(data, phase);
    }
  }
  script() << "set title \"" << static_cast<char>('a' + panel) << ") "
           << (arm.from_random() ? "from random weights" : "from random labels") << ": " << title_of(arm.regularizers)
           << "\"\n";
  mark_phases(script(), phases, narrow);
  script() << "set ylabel '" << (panel % 2 == 0 ? "accuracy (%)" : "")
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
  script() << "set multiplot layout 2,2 margins 0.075,0.985,0.085,0.93 spacing 0.085,0.2\n"
           << "set yrange [0:105]\nset ytics 20\nset xlabel 'epochs of the phase' offset 0,0.4\n"
           << "set style line 1 linecolor '" << grey << "' linewidth 1\n"
           << "set style line 2 linecolor '" << blue << "' linewidth 1 dashtype 2 pointtype 4 pointsize 1.6\n"
           << "set style line 3 linecolor '" << red << "' linewidth 1.4 pointtype 7 pointsize 1.6\n";
  std::vector<std::vector<Stretch>> phases;
  for (const Arm* const arm : shown) {
    phases.push_back(phases_of(*arm, *memorize));
  }
  const bool narrow = std::any_of(phases.begin(), phases.end(), is_narrow);
  for (std::size_t panel = 0; panel < shown.size(); ++panel) {
    draw_panel(script, static_cast<int>(panel), *shown[panel], phases[panel], narrow);
  }
  script() << "unset multiplot\n";
}
