#pragma once
// No LibTorch.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "regimen/base/integer.hpp"
#include "regimen/schedule/concept.hpp"

namespace regimen::inline v0 {

/// Schedules one after another, each with its own clock that begins at epoch 0; the last one never ends. PyTorch's
/// SequentialLR.
///
/// A part sees the scores since its begin, with its own clock. They are copied unless the part takes a `HistoryView`,
/// as `PlateauDecay` does. `Clock::step` is not set back: it counts from the phase's begin.
///     phase.lr_scale = regimen::Concatenation{{{regimen::LinearWarmup{.epochs = 5}, 5}, {regimen::PlateauDecay{}}}};
struct Concatenation {
  struct Part {
    Knob schedule;
    Integer epochs = 0;  ///< duration, at least 1; ignored for the last part
  };

  std::vector<Part> parts;  ///< at least one

  void check() const {
    detail::require(!parts.empty(), "Concatenation.parts.size()", "at least 1", parts.size());
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      detail::require(parts[i].epochs >= 1, "Concatenation.parts[" + detail::text(i) + "].epochs", "at least 1",
                      parts[i].epochs);
    }
  }

  double operator()(const Clock& clock, const HistoryView& scores = {}) const {
    std::int64_t begin = 0;
    std::size_t part = 0;
    while (part + 1 < parts.size() && clock.epoch >= begin + parts[part].epochs) {
      begin += parts[part++].epochs;
    }
    const Knob& schedule = parts[part].schedule;
    Clock own = clock;
    own.epoch -= begin;
    return schedule(own, begin == 0 ? scores : scores.since(begin));
  }
};

/// A schedule with optimizer steps in place of epochs: `InSteps{Cosine{.epochs = 10000}}` ends after 10,000 steps.
/// Steps are counted from the phase's begin, in the clock and in the scores that the schedule reads.
struct InSteps {
  Knob schedule;

  double operator()(const Clock& clock, const HistoryView& scores = {}) const {
    Clock steps = clock;
    steps.epoch = clock.step;
    steps.batch = 0;
    steps.batches = 0;
    return schedule(steps, scores.in_steps());
  }
};

}  // namespace regimen::inline v0
