#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/record/history.hpp"
#include "regimen/report/detail/stage_ticks.hpp"
#include "regimen/report/picture.hpp"
#include "regimen/report/series.hpp"
#include "regimen/report/style.hpp"

namespace regimen::inline v0::report {

/// One phase of training, as `curves` draws it.
struct Stage {
  std::string name{};  ///< text above its epochs
  History history{};   ///< epochs of this phase alone: `clock.epoch` is above 0 and rises
};

/// One metric of the scores, drawn over the epochs.
struct Curve {
  Metric metric = Metric::test_accuracy;
  std::string name{};  ///< text in the legend; "": chosen, for example "test data"
  Style style{};       ///< empty fields are chosen: fit, clean, validation and test each look different
};

/// The accuracies of fit, clean, validation and test.
[[nodiscard]] inline std::vector<Curve> accuracy_curves() {
  return {{.metric = Metric::fit_accuracy},
          {.metric = Metric::clean_accuracy},
          {.metric = Metric::validation_accuracy},
          {.metric = Metric::test_accuracy}};
}

/// The mean losses of fit, clean, validation and test.
[[nodiscard]] inline std::vector<Curve> loss_curves() {
  return {{.metric = Metric::fit_loss},
          {.metric = Metric::clean_loss},
          {.metric = Metric::validation_loss},
          {.metric = Metric::test_loss}};
}

/// The phases of a run in order, with their names; a phase without a complete epoch is left out.
[[nodiscard]] inline std::vector<Stage> stages_of(const History& history) {
  std::vector<Stage> stages;
  for (const Epoch& epoch : history) {
    if (stages.empty() || stages.back().history.back().clock.phase != epoch.clock.phase) {
      stages.push_back({.name = epoch.phase});
    }
    stages.back().history.epochs.push_back(epoch);
  }
  return stages;
}

}  // namespace regimen::inline v0::report

namespace regimen::inline v0::detail::reports {

inline std::string default_name(Metric metric) {
  switch (metric) {
    case Metric::fit_accuracy:
    case Metric::fit_loss:
      return "labels it is trained on";
    case Metric::clean_accuracy:
    case Metric::clean_loss:
      return "true labels of the training data";
    case Metric::validation_accuracy:
    case Metric::validation_loss:
      return "validation data";
    default:
      return "test data";
  }
}

inline report::Style default_style(Metric metric) {
  using report::Dash;
  using report::Mark;
  switch (metric) {
    case Metric::fit_accuracy:
    case Metric::fit_loss:
      return {.colour = report::colour::grey, .dash = Dash::solid, .mark = Mark::none};
    case Metric::clean_accuracy:
    case Metric::clean_loss:
      return {.colour = report::colour::blue, .dash = Dash::dashed, .mark = Mark::open_square};
    case Metric::validation_accuracy:
    case Metric::validation_loss:
      return {.colour = report::colour::green, .dash = Dash::dotted, .mark = Mark::triangle};
    default:
      return {.colour = report::colour::vermillion, .dash = Dash::solid, .mark = Mark::disc};
  }
}

/// The curve's own style, with the metric's default in empty fields.
inline report::Style style_of(const report::Curve& curve) {
  const report::Style other = default_style(curve.metric);
  report::Style style = curve.style;
  style.colour = style.colour.empty() ? other.colour : style.colour;
  style.dash = style.dash ? style.dash : other.dash;
  style.mark = style.mark ? style.mark : other.mark;
  return style;
}

inline void check(const std::vector<report::Stage>& stages) {
  require(!stages.empty(), "curves: stages.size()",
          "at least 1 (one for each phase; stages_of makes them of a History)", stages.size());
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const std::string where = "curves: " + called("stages[" + text(i) + "]", stages[i].name) + ".history";
    require(!stages[i].history.empty(), where + ".size()", "at least 1 (leave out a phase without a complete epoch)",
            stages[i].history.size());
    std::int64_t before = 0;
    for (std::size_t k = 0; k < stages[i].history.size(); ++k) {
      const std::int64_t epoch = stages[i].history.epochs[k].clock.epoch;
      require(epoch > before, where + ".epochs[" + text(k) + "].clock.epoch",
              "above " + text(before) +
                  " (it counts the complete epochs of one phase; a History of several phases is "
                  "split by stages_of)",
              epoch);
      before = epoch;
    }
  }
}

inline void check(const std::vector<report::Curve>& drawn) {
  require(!drawn.empty(), "curves: drawn.size()", "at least 1 (accuracy_curves() and loss_curves() have four)",
          drawn.size());
  const bool is_accuracy = larger_is_better(drawn.front().metric);
  for (std::size_t i = 1; i < drawn.size(); ++i) {
    require(larger_is_better(drawn[i].metric) == is_accuracy, "curves: drawn[" + text(i) + "].metric",
            std::string(is_accuracy ? "an accuracy" : "a loss") +
                " as drawn[0] is (a panel has one axis: draw the others in a second panel)",
            name_of(drawn[i].metric));
  }
}

/// The number of epochs of a phase.
inline std::int64_t length_of(const report::Stage& stage) {
  return stage.history.back().clock.epoch;
}

/// One metric over the epochs of all phases, where it was scored, with a gap between phases.
inline report::Lines line_of(const std::vector<report::Stage>& stages, const report::Curve& curve) {
  report::Lines line{.name = curve.name.empty() ? default_name(curve.metric) : curve.name, .style = style_of(curve)};
  const double unit = larger_is_better(curve.metric) ? 100 : 1;
  std::int64_t begin = 0;
  for (const report::Stage& stage : stages) {
    bool needs_gap = !line.x.empty();
    for (const Epoch& epoch : stage.history) {
      if (!score_of(epoch, curve.metric).scored()) {
        continue;
      }
      if (std::exchange(needs_gap, false)) {
        line.x.push_back(unknown);
        line.y.push_back(unknown);
      }
      line.x.push_back(static_cast<double>(begin + epoch.clock.epoch));
      line.y.push_back(unit * value_of(epoch, curve.metric));
    }
    begin += length_of(stage);
  }
  return line;
}

/// The phases as stretches of the x axis, the first, third, ... shaded; empty for a single phase.
inline std::vector<report::Stretch> stretches_of(const std::vector<report::Stage>& stages) {
  std::vector<report::Stretch> stretches;
  double begin = 0;
  for (std::size_t i = 0; i < stages.size() && stages.size() > 1; ++i) {
    const double end = begin + static_cast<double>(length_of(stages[i]));
    stretches.push_back(
        {.from = begin, .to = end, .text = stages[i].name, .colour = i % 2 == 0 ? report::colour::light_grey : ""});
    begin = end;
  }
  return stretches;
}

}  // namespace regimen::inline v0::detail::reports

namespace regimen::inline v0::report {

/// A panel of scores over the epochs of consecutive phases. Each phase counts its epochs from 0, and a curve has a gap
/// between two phases. Phases are named, and the first, third, ... are shaded; a single phase is neither.
///
/// Accuracies are in percent, on an axis from 0 to 100; losses are unscaled. An epoch without the score is skipped, NaN
/// leaves a gap, and a curve without a number in any epoch is left out. Everything may be changed in the panel, such as
/// title, labels and ends of the axes.
///
/// Throws Error if there is no stage or no curve; if a stage has no epoch, or its `clock.epoch` does not rise from
/// above 0; if accuracies and losses are mixed.
///     report::Panel panel = report::curves({{"random labels", memorized}, {"true labels", escaped}});
///     report::write_file("curves.svg", report::svg({.panels = {panel}}));
[[nodiscard]] inline Panel curves(const std::vector<Stage>& stages,
                                  const std::vector<Curve>& drawn = accuracy_curves()) {
  detail::reports::check(stages);
  detail::reports::check(drawn);
  std::vector<std::int64_t> lengths;
  double end = 0;
  for (const Stage& stage : stages) {
    lengths.push_back(detail::reports::length_of(stage));
    end += static_cast<double>(lengths.back());
  }
  Panel panel{
      .x = {.label = "epochs of the phase", .from = 0, .to = end, .ticks = detail::reports::stage_ticks(lengths)},
      .y = {.label = "loss"},
      .stretches = detail::reports::stretches_of(stages)};
  if (larger_is_better(drawn.front().metric)) {
    panel.y = {.label = "accuracy (%)", .from = 0, .to = 100};
  }
  for (const Curve& curve : drawn) {
    Lines line = detail::reports::line_of(stages, curve);
    if (std::any_of(line.y.begin(), line.y.end(), [](double y) { return std::isfinite(y); })) {
      panel.series.emplace_back(std::move(line));
    }
  }
  return panel;
}

/// A panel of a whole run, from the history that `run` returns or `read_json_log` reads: its phases with their names,
/// in order. Throws Error if there is no epoch.
///     report::write_file("curves.svg", report::svg({.panels = {report::curves(history)}}));
[[nodiscard]] inline Panel curves(const History& history, const std::vector<Curve>& drawn = accuracy_curves()) {
  detail::require(!history.empty(), "curves: history.size()",
                  "at least 1 (a run that is stopped within its first epoch has none: see History::empty)",
                  history.size());
  return curves(stages_of(history), drawn);
}

}  // namespace regimen::inline v0::report
