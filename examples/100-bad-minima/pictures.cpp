#include "pictures.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace rg = regimen;

namespace {

/// Every picture is a gnuplot script and its data, left beside it: pictures/NAME.gp draws pictures/NAME.png.
class Script {
 public:
  Script(const Settings& settings, const std::string& name, int width, int height)
      : folder_(settings.out + "/pictures"), name_(name) {
    std::filesystem::create_directories(folder_);
    script_.open(folder_ + "/" + name + ".gp");
    script_ << "set terminal pngcairo size " << width << "," << height << " font 'DejaVu Sans,11' background 'white'\n"
            << "set output '" << name << ".png'\n"
            << "set datafile missing 'NaN'\n"
            << "set border 3 linecolor '#444444'\nset tics nomirror out textcolor '#222222'\n"
            << "set grid ytics linecolor '#dddddd' linetype 1\n";
  }

  std::ostream& operator()() { return script_; }

  /// A file of numbers for the script, by name.
  std::ofstream data(const std::string& what) const {
    return std::ofstream(folder_ + "/" + name_ + "-" + what + ".dat");
  }
  std::string file(const std::string& what) const { return "'" + name_ + "-" + what + ".dat'"; }

 private:
  std::string folder_;
  std::string name_;
  std::ofstream script_;
};

const char* const blue = "#1f6fb4";
const char* const red = "#c8382e";
const char* const grey = "#777777";

void write_curve(std::ostream& out, const rg::History& history, int offset) {
  const auto cell = [](const rg::Score& score) {
    return score.scored() ? std::to_string(100 * score.accuracy) : "NaN";
  };
  for (const rg::Epoch& epoch : history) {
    if (epoch.scored()) {
      out << offset + epoch.clock.epoch << " " << cell(epoch.fit) << " " << cell(epoch.clean) << " " << cell(epoch.test)
          << "\n";
    }
  }
  out << "\n";
}

}  // namespace

void draw_curves(const Results& results, const Group& group, const std::string& name, const Settings& settings) {
  const rg::History* memorize = nullptr;
  for (const Memorized& memorized : results.memorized) {
    if (memorized.model == group.model && memorized.copies == group.copies && memorized.seed == settings.first_seed) {
      memorize = &memorized.history;
    }
  }
  std::vector<const Arm*> shown;
  for (const char* const regularizers : {"vanilla", "all three"}) {
    for (const int copies : {0, group.copies}) {
      for (const Arm& arm : results.arms) {
        if (arm.model == group.model && arm.seed == settings.first_seed && arm.copies == copies &&
            arm.regularizers == regularizers) {
          shown.push_back(&arm);
        }
      }
    }
  }
  if (memorize == nullptr || shown.size() < 4) {
    return;
  }
  Script script(settings, name, 1200, 720);
  const int boundary = memorize->back().clock.epoch;
  script() << "set multiplot layout 2," << (shown.size() + 1) / 2
           << " columnsfirst margins 0.07,0.985,0.08,0.94 spacing 0.06,0.11\n"
           << "set yrange [0:112]\nset ytics 20\n"
           << "set style line 1 linecolor '" << grey << "' linewidth 2 pointtype 6 pointsize 0.7\n"
           << "set style line 2 linecolor '" << blue << "' linewidth 2 pointtype 4 pointsize 0.7\n"
           << "set style line 3 linecolor '" << red << "' linewidth 2.5 pointtype 7 pointsize 0.7\n";
  int panel = 0;
  for (const Arm* arm : shown) {
    const std::string what = std::to_string(panel);
    const bool adversarial = !arm->from_random();
    {
      std::ofstream data = script.data(what);
      if (adversarial) {
        write_curve(data, *memorize, 0);
      }
      write_curve(data, arm->history, adversarial ? boundary : 0);
    }
    const std::string regularizers = arm->regularizers == "vanilla" ? "vanilla SGD" : "augmentation + l2 + momentum";
    script() << "set title '" << (adversarial ? "from random labels" : "from random weights") << ": " << regularizers
             << "'\n"
             << "unset arrow\nunset label\n";
    if (adversarial) {
      script() << "set arrow from " << boundary + 0.5 << ",0 to " << boundary + 0.5
               << ",104 nohead dashtype 2 linecolor '" << grey << "'\n"
               << "set label 'random labels' at " << boundary - 0.5 << ",108 right textcolor '" << grey << "'\n"
               << "set label 'true labels' at " << boundary + 1.5 << ",108 left textcolor '" << grey << "'\n";
    }
    script()
        << "set xrange [0:*]\nset xlabel '" << (panel % 2 == 1 ? "epochs" : "") << "'\nset ylabel '"
        << (panel < 2 ? "accuracy (%)" : "") << "'\n"
        << (panel == 0 ? "set key bottom right spacing 1.2\n" : "unset key\n") << "plot " << script.file(what)
        << " using 1:2 with linespoints linestyle 1 title 'fit: the labels it is trained on', '' using 1:3 with "
           "linespoints linestyle 2 title 'clean: the true labels', '' using 1:4 with linespoints linestyle 3 title "
           "'test'\n";
    ++panel;
  }
  script() << "unset multiplot\n";
}

void draw_holes(const Group& group, const std::string& name, const Settings& settings) {
  const bool holes = group.all_fitted();
  Script script(settings, name, holes ? 1200 : 640, 480);
  {
    std::ofstream data = script.data("arms");
    int row = 0;
    for (const Comparison& c : group.comparisons) {
      const auto width = [](const rg::Interval& value) { return std::isnan(value.half_width) ? 0 : value.half_width; };
      data << row++ << " \"" << c.regularizers << "\" " << c.random.mean << " " << width(c.random) << " "
           << c.adversarial.mean << " " << width(c.adversarial);
      if (holes) {
        data << " " << c.hole.mean << " " << width(c.hole);
      }
      data << "\n";
    }
  }
  const auto n = static_cast<double>(group.comparisons.size());
  const std::string few = n > 3 ? "set xtics rotate by -20\n" : "";
  // An empty plot with the names gives the ticks their place between the two points of each set.
  script() << "set multiplot layout 1," << (holes ? 2 : 1) << " margins " << (holes ? 0.06 : 0.11) << ",0.985,"
           << (n > 3 ? 0.22 : 0.1) << ",0.92 spacing 0.08,0\n"
           << few << "set xrange [-0.6:" << n - 0.4 << "]\nset key top left\nset bars 0.7\nset offsets 0,0,0.6,0.4\n"
           << "set title 'test accuracy (%), mean and 95 % interval'\n"
           << "plot " << script.file("arms") << " using 1:3:xtic(2) with points pointtype -1 notitle, ''"
           << " using ($1-0.08):3:4 with yerrorbars linewidth 2 pointtype 7 pointsize 1.2 linecolor '" << blue
           << "' title 'from random weights', '' using ($1+0.08):5:6 with yerrorbars linewidth 2 pointtype 5 "
              "pointsize 1.2 linecolor '"
           << red << "' title 'from random labels'\n";
  if (holes) {
    script() << "set title 'the hole: how much worse the adversarial start ends (points)'\n"
             << "set style fill solid 0.35 border\nset boxwidth 0.4\nunset key\nset yrange [*:*]\nset offsets "
                "0,0,0.4,0\n"
             << "set arrow from -0.6,0 to " << n - 0.4 << ",0 nohead linecolor '#444444'\n"
             << "plot " << script.file("arms") << " using 1:7:xtic(2) with boxes linecolor '" << red
             << "', '' using 1:($7-$8):(0):(2*$8) with vectors heads size screen 0.006,90 linewidth 2 linecolor "
                "'#444444'\n";
  }
  script() << "unset multiplot\n";
}

void draw_tiles(const std::vector<Tile>& tiles, const Settings& settings) {
  int rows = 0;
  int columns = 0;
  for (const Tile& tile : tiles) {
    rows = std::max(rows, tile.row + 1);
    columns = std::max(columns, tile.column + 1);
  }
  const int step_x = tiles.front().width + 4;
  const int step_y = tiles.front().height + 10;
  const int zoom = 4;
  Script script(settings, "confusion-set", columns * step_x * zoom + 170, rows * step_y * zoom + 20);
  {
    // gnuplot draws an image from a complete grid only, so the tiles are put on a white canvas first.
    const int width = columns * step_x;
    const int height = rows * step_y;
    std::vector<std::array<std::uint8_t, 3>> canvas(static_cast<std::size_t>(width * height), {255, 255, 255});
    for (const Tile& tile : tiles) {
      for (int y = 0; y < tile.height; ++y) {
        for (int x = 0; x < tile.width; ++x) {
          canvas[static_cast<std::size_t>((tile.row * step_y + y) * width + tile.column * step_x + x)] =
              tile.pixels[static_cast<std::size_t>(y * tile.width + x)];
        }
      }
    }
    std::ofstream data = script.data("pixels");
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const auto& [r, g, b] = canvas[static_cast<std::size_t>(y * width + x)];
        data << x << " " << -y << " " << int{r} << " " << int{g} << " " << int{b} << "\n";
      }
    }
  }
  script() << "unset border\nunset tics\nunset key\nunset grid\nset margins 0,0,0,0\n"
           << "set xrange [-38:" << columns * step_x << "]\nset yrange [" << -(rows * step_y) << ":4]\n"
           << "set label 'true label' at -36," << -tiles.front().height / 2 << "\n"
           << "set label 'confusion set:' at -36," << -(step_y + tiles.front().height / 2) << "\n"
           << "set label 'random labels,' at -36," << -(step_y + tiles.front().height / 2 + 5) << "\n"
           << "set label 'some pixels 0' at -36," << -(step_y + tiles.front().height / 2 + 10) << "\n";
  for (const Tile& tile : tiles) {
    script() << "set label '" << tile.label << "' at " << tile.column * step_x + tile.width / 2 << ","
             << -(tile.row * step_y + tile.height + 2) << " center front textcolor '" << (tile.wrong ? red : "#222222")
             << "'\n";
  }
  script() << "plot " << script.file("pixels") << " using 1:2:3:4:5 with rgbimage\n";
}

void draw_boundaries(const ToyPicture& picture, const Settings& settings) {
  const auto panels = static_cast<int>(picture.boundaries.size());
  Script script(settings, "boundaries", 360 * panels, 380);
  {
    std::ofstream points = script.data("points");
    for (const auto& [x, y, label] : picture.points) {
      points << x << " " << y << " " << label << "\n";
    }
    for (int panel = 0; panel < panels; ++panel) {
      std::ofstream data = script.data(std::to_string(panel));
      for (int row = 0; row < picture.rows; ++row) {
        for (int column = 0; column < picture.columns; ++column) {
          const double x = picture.left + (picture.right - picture.left) * (column + 0.5) / picture.columns;
          const double y = picture.bottom + (picture.top - picture.bottom) * (row + 0.5) / picture.rows;
          const double logit = picture.boundaries[static_cast<std::size_t>(panel)]
                                   .logits[static_cast<std::size_t>(row * picture.columns + column)];
          data << x << " " << y << " " << (logit > 0 ? 1 : 0) << "\n";
        }
        data << "\n";
      }
    }
  }
  script() << "set multiplot layout 1," << panels << " margins 0.035,0.99,0.09,0.9 spacing 0.025,0\n"
           << "set xrange [" << picture.left << ":" << picture.right << "]\nset yrange [" << picture.bottom << ":"
           << picture.top << "]\nunset key\nunset colorbox\nunset grid\nset xtics 0.5\nset ytics 0.5\n"
           << "set palette defined (0 '#cfe0f1', 1 '#f6d3cf')\nset cbrange [0:1]\n";
  for (int panel = 0; panel < panels; ++panel) {
    script() << "set title '" << picture.boundaries[static_cast<std::size_t>(panel)].title << "'\n"
             << (panel > 0 ? "set format y ''\n" : "") << "plot " << script.file(std::to_string(panel))
             << " using 1:2:3 with image, " << script.file("points")
             << " using ($3<0.5?$1:NaN):2 with points pointtype 7 pointsize 0.7 linecolor '" << blue << "', "
             << script.file("points") << " using ($3>0.5?$1:NaN):2 with points pointtype 5 pointsize 0.7 linecolor '"
             << red << "'\n";
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
