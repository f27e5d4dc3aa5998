#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "pictures.hpp"

namespace rg = regimen;

namespace {

/// A piece of a curve's axis: a phase, and where on the axis it begins.
struct PhaseOnAxis {
  const rg::History& history;
  std::int64_t begin = 0;

  [[nodiscard]] std::int64_t length() const { return history.back().clock.epoch; }
  [[nodiscard]] std::int64_t end() const { return begin + length(); }
};

/// The round number of epochs, 5, 10, 20, 50, ..., between the ticks of an axis that has at most eight.
std::int64_t tick_step(std::int64_t epochs) {
  for (std::int64_t decade = 5;; decade *= 10) {
    for (const std::int64_t step : {decade, 2 * decade, 4 * decade}) {
      if (epochs <= 7 * step) {
        return step;
      }
    }
  }
}

/// A number below an axis.
struct Count {
  std::string text;
  std::int64_t place = 0;

  /// Whether two of them would touch on an axis of so many epochs.
  [[nodiscard]] bool touches(const Count& other, std::int64_t axis) const {
    const double digit = 0.018 * static_cast<double>(axis);  // width of one, on a panel of half a page
    const auto digits = static_cast<double>(text.size() + other.text.size());
    return static_cast<double>(std::abs(place - other.place)) < digit * (digits / 2 + 1);
  }
};

/// Ticks that count the epochs of each phase from 0. The end of every phase has one, "24|0" where the next begins;
/// others give way to those.
std::vector<rg::report::Tick> ticks(const std::vector<PhaseOnAxis>& phases) {
  const std::int64_t axis = phases.back().end();
  std::vector<Count> placed;
  for (std::size_t i = 0; i < phases.size(); ++i) {
    const bool last = i + 1 == phases.size();
    placed.push_back({std::to_string(phases[i].length()) + (last ? "" : "|0"), phases[i].end()});
  }
  const auto place_if_free = [&](const Count& tick) {
    const auto near = [&](const Count& other) { return tick.touches(other, axis); };
    if (std::none_of(placed.begin(), placed.end(), near)) {
      placed.push_back(tick);
    }
  };
  for (const PhaseOnAxis& phase : phases) {
    for (std::int64_t epoch = 0; epoch < phase.length(); epoch += tick_step(axis)) {
      place_if_free({std::to_string(epoch), phase.begin + epoch});
    }
  }
  std::vector<rg::report::Tick> result;
  for (const Count& tick : placed) {
    result.push_back({static_cast<double>(tick.place), tick.text});
  }
  return result;
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
std::vector<PhaseOnAxis> phases_of(const Arm& arm, const rg::History& memorize) {
  if (arm.from_random()) {
    return {{arm.history, 0}};
  }
  const PhaseOnAxis first{memorize, 0};
  return {first, {arm.history, first.end()}};
}

/// One of the scores, where it was taken, over the epochs of all phases, with a gap between two phases. Adds nothing
/// where it was never taken.
void add_curve(std::vector<rg::report::Series>& series, const std::vector<PhaseOnAxis>& phases,
               rg::Score rg::Epoch::* score, rg::report::Lines curve) {
  for (const PhaseOnAxis& phase : phases) {
    if (!curve.x.empty()) {
      curve.x.push_back(rg::unknown);
      curve.y.push_back(rg::unknown);
    }
    for (const rg::Epoch& epoch : phase.history) {
      if ((epoch.*score).scored()) {
        curve.x.push_back(static_cast<double>(phase.begin + epoch.clock.epoch));
        curve.y.push_back(100 * (epoch.*score).accuracy);
      }
    }
  }
  if (!curve.x.empty()) {
    series.emplace_back(std::move(curve));
  }
}

/// The random labels' phase is shaded, and each phase says above what it is trained on.
std::vector<rg::report::Stretch> marked(const std::vector<PhaseOnAxis>& phases) {
  if (phases.size() < 2) {
    return {};
  }
  const auto boundary = static_cast<double>(phases[1].begin);
  return {{.from = 0, .to = boundary, .text = "random labels"},
          {.from = boundary, .to = static_cast<double>(phases[1].end()), .text = "true labels", .colour = ""}};
}

rg::report::Panel panel_of(const Arm& arm, const std::vector<PhaseOnAxis>& phases, std::size_t number) {
  using rg::report::Dash;
  using rg::report::Mark;
  rg::report::Panel panel{.title = std::string(1, static_cast<char>('a' + number)) + ") from random " +
                                   (arm.from_random() ? "weights" : "labels"),
                          .subtitle = title_of(arm.regularizers),
                          .x = {.label = "epochs of the phase",
                                .from = 0,
                                .to = static_cast<double>(phases.back().end()),
                                .ticks = ticks(phases)},
                          .y = {.label = number % 2 == 0 ? "accuracy (%)" : "", .from = 0, .to = 100},
                          .stretches = marked(phases)};
  add_curve(panel.series, phases, &rg::Epoch::fit,
            {.name = "labels it is trained on", .style = {.colour = rg::report::colour::grey, .dash = Dash::solid}});
  add_curve(panel.series, phases, &rg::Epoch::clean,
            {.name = "true labels of the training images",
             .style = {.colour = rg::report::colour::blue, .dash = Dash::dashed, .mark = Mark::open_square}});
  add_curve(panel.series, phases, &rg::Epoch::test,
            {.name = "test images",
             .style = {.colour = rg::report::colour::vermillion, .dash = Dash::solid, .mark = Mark::disc}});
  return panel;
}

}  // namespace

void draw_curves(const Results& results, const Group& group, const std::string& name, const Settings& settings) {
  const rg::History* const memorize = memorizing_of(results, group, settings.first_seed);
  const std::vector<const Arm*> shown = arms_shown(results, group, settings.first_seed);
  if (memorize == nullptr || shown.size() < 4) {
    return;
  }
  rg::report::Picture picture{.description = "Accuracy over the epochs, from both starts.", .columns = 2};
  for (const Arm* const arm : shown) {
    picture.panels.push_back(panel_of(*arm, phases_of(*arm, *memorize), picture.panels.size()));
  }
  write_picture(picture, name, settings);
}
