#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "pictures.hpp"

namespace rg = regimen;

namespace {

/// The mean of a row with a diverged arm would be of the lucky seeds.
std::vector<Comparison> without_diverged(const std::vector<Comparison>& all) {
  std::vector<Comparison> shown;
  std::copy_if(all.begin(), all.end(), std::back_inserter(shown), [](const Comparison& c) { return !c.diverged(); });
  return shown;
}

std::string intervals_of(const Group& group) {
  const std::size_t n = group.seeds.size();
  return n < 2 ? "One seed, no intervals." : "Bars: 95 % intervals, n = " + std::to_string(n) + " seeds.";
}

}  // namespace

void draw_holes(const Group& group, const std::string& name, const Settings& settings) {
  const std::vector<Comparison> shown = without_diverged(group.comparisons);
  if (shown.empty()) {
    return;
  }
  rg::report::ErrorBars random{.name = "from random weights"};
  rg::report::ErrorBars adversarial{.name = "from random labels"};
  rg::report::Bars holes{.width = 0.4, .style = {.colour = rg::report::colour::vermillion}};
  rg::report::Axis sets{.from = -0.6, .to = static_cast<double>(shown.size()) - 0.4};
  for (const Comparison& c : shown) {
    const auto place = static_cast<double>(sets.ticks.size());
    sets.ticks.push_back({place, shown.size() > 3 ? c.regularizers : title_of(c.regularizers)});
    random.x.push_back(place - 0.08);
    random.y.push_back(c.random);
    adversarial.x.push_back(place + 0.08);
    adversarial.y.push_back(c.adversarial);
    holes.x.push_back(place);
    holes.y.push_back(c.hole);
  }
  rg::report::Picture picture{.caption = intervals_of(group), .columns = 2};
  picture.panels.push_back({.x = sets, .y = {.label = "test accuracy (%)"}, .series = {random, adversarial}});
  if (group.all_fitted()) {
    picture.panels.push_back({.x = sets, .y = {.label = "test accuracy lost (points)"}, .series = {holes}});
  } else {
    picture.width /= 2;
  }
  write_picture(picture, name, settings);
}
