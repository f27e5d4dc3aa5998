#pragma once
// No LibTorch.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "regimen/record/clock.hpp"
#include "regimen/record/history.hpp"

namespace at {
class Tensor;
}  // namespace at

namespace regimen::inline v0 {

struct Pass;

/// All that `run` itself remembers: where it is, and what it has seen. With the archives of the model and the
/// optimizers this is a checkpoint.
struct State {
  Clock clock{};
  History history{};
  double loss_sum = 0;                ///< of this epoch's samples so far, times their number
  std::int64_t loss_samples = 0;      ///< in this epoch so far
  double loss_count = 0;              ///< what the mean of its losses is over so far (see `Loss`)
  double lr_scale = 1;                ///< of the last step
  double loss_scale = 0;              ///< the factor of fp16's `LossScaler`, also that of a phase that is over; else 0
  std::int64_t loss_scale_steps = 0;  ///< that the factor has lasted
  double seconds = 0;                 ///< wall time of this phase so far
};

// The events of a run, in the order in which they fire. An observer is anything callable with at least one of them, or
// with `const Epoch&` (record/history.hpp), which fires at the end of every epoch. All are taken by const reference:
// whoever watches changes nothing. What an observer's own `manifest()` gives, JSON, is part of the run's: so the rule
// of an average is.

/// Once, before the first step.
struct RunBegin {
  const std::vector<std::string>& phases;        ///< their names
  const std::vector<std::int64_t>& epochs;       ///< the bound on each
  const std::vector<std::string>& measures;      ///< the names of what `Epoch::measures` will hold
  const History& history;                        ///< what came before, if the run was resumed
  const std::function<std::string()>& manifest;  ///< all that is needed to repeat the run, as JSON
};

/// Before the first step of each phase; on a resume, again for the phase that goes on.
struct PhaseBegin {
  const Clock& clock;
  const std::string& name;
  std::int64_t epochs;
};

/// Something about how the run is done that its user may want to know, once: that steps cannot be recorded, and why.
struct Notice {
  const std::string& text;  ///< a sentence without its full stop
};

/// After each optimizer step. `clock` counts it already. Where steps are recorded (`Execution::graph`), the tensors of
/// `pass` and `loss` are written anew by the next one: clone what is to be kept.
struct Step {
  const Clock& clock;
  const Pass& pass;        ///< what the network saw and said (regularize/pass.hpp)
  const at::Tensor& loss;  ///< 0-d, without penalties, on the device: reading it waits for the device
  double learning_rate;    ///< of the first parameter group
};

/// After a phase's last epoch.
struct PhaseEnd {
  const Outcome& outcome;
};

/// After each step, each epoch and each phase, once every observer has heard of it: the only safe point for a
/// checkpoint.
struct Boundary {
  const Clock& clock;
  bool last;                            ///< the run returns after this one
  const std::function<State()>& state;  ///< what to save; reads the loss, so it waits for the device
  /// Whether the training loss and the trained weights are finite still; waits for the device. Weights that are not
  /// must not take the place of those that were saved.
  const std::function<bool()>& finite;
};

/// Once, after everything else, not when an exception ends the run.
struct RunEnd {
  const History& history;
};

namespace detail {

template <class... Events>
struct ListOf {};

/// All events: whoever adds one names it here, and observers of it are heard.
using AllEvents = ListOf<RunBegin, PhaseBegin, Notice, Step, Epoch, Boundary, PhaseEnd, RunEnd>;

}  // namespace detail

}  // namespace regimen::inline v0
