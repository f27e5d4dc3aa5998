#pragma once
// No LibTorch.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "regimen/base/integer.hpp"
#include "regimen/schedule/concept.hpp"

namespace regimen::inline v0 {

/// One schedule after another, each with a clock of its own that begins at epoch 0. The last one goes on to the end.
/// PyTorch's SequentialLR.
///
/// A part sees the scores since its own begin, by its own clock. None is copied for a part that takes a `HistoryView`,
/// as `PlateauDecay` does. `Clock::step` goes on counting from the phase's begin.
///     phase.lr_scale = regimen::Concatenation{{{regimen::LinearWarmup{.epochs = 5}, 5}, {regimen::PlateauDecay{}}}};
struct Concatenation {
  struct Part {
    Knob schedule;
    Integer epochs = 0;  ///< that it lasts, at least 1; of the last part it does not matter
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

/// A schedule whose epochs are optimizer steps: `InSteps{Cosine{.epochs = 10000}}` ends after 10,000 steps. Steps are
/// counted from the phase's begin, and scores that it reads have the steps after which they were taken for epochs.
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
