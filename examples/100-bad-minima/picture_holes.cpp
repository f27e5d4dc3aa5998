#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "picture_script.hpp"
#include "pictures.hpp"

namespace rg = regimen;

namespace {

/// The mean of a row with a diverged arm would be of the lucky seeds.
std::vector<Comparison> without_diverged(const std::vector<Comparison>& all) {
  std::vector<Comparison> shown;
  std::copy_if(all.begin(), all.end(), std::back_inserter(shown), [](const Comparison& c) { return !c.diverged(); });
  return shown;
}

std::string bars_of(const Group& group) {
  const std::size_t n = group.seeds.size();
  return n < 2 ? "one seed, no intervals" : "bars: 95 % intervals, n = " + std::to_string(n) + " seeds";
}

}  // namespace

void draw_holes(const Group& group, const std::string& name, const Settings& settings) {
  const std::vector<Comparison> shown = without_diverged(group.comparisons);
  if (shown.empty()) {
    return;
  }
  const bool holes = group.all_fitted();
  const bool many = shown.size() > 3;
  Script script(settings.out + "/pictures", name, holes ? Script::page_width : Script::page_width / 2,
                many ? 1000 : 800);
  {
    std::ofstream data = script.data("arms");
    const auto width = [](const rg::Interval& value) { return std::isnan(value.half_width) ? 0 : value.half_width; };
    int row = 0;
    for (const Comparison& c : shown) {
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
  const auto n = static_cast<double>(shown.size());
  // An empty plot with the names gives the ticks their place between the two points of each set.
  script() << "set multiplot layout 1," << (holes ? 2 : 1) << " margins " << (holes ? 0.07 : 0.15) << ",0.985,"
           << (many ? 0.4 : 0.16) << ",0.9 spacing 0.1,0\nset title '" << bars_of(group) << "'\n"
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
