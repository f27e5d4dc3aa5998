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

/// The state of `run` itself: its place in the regime and its records. A checkpoint is this with the archives of the
/// model and the optimizers.
struct State {
  Clock clock{};
  History history{};
  double loss_sum = 0;                ///< sum of this epoch's losses so far, each times its denominator
  std::int64_t loss_samples = 0;      ///< samples of this epoch so far
  double loss_count = 0;              ///< sum of the denominators of this epoch's losses so far (see `Loss`)
  double lr_scale = 1;                ///< learning-rate scale at the last step
  double loss_scale = 0;              ///< the factor of fp16's `LossScaler`, kept over a phase's end; 0 without one
  std::int64_t loss_scale_steps = 0;  ///< steps since the factor changed
  double seconds = 0;                 ///< wall time of this phase so far, in seconds
};

// The events of a run, in the order in which they are sent. An observer is anything callable with at least one of them,
// or with `const Epoch&` (record/history.hpp), which is sent at the end of every epoch. All are taken by const
// reference: an observer changes nothing. An observer's `manifest()` (JSON), if it has one, becomes part of the run's
// manifest, as for the rule of an average. An observer with `static constexpr bool writes = true`, as the logs have, is
// called in one process only, that of rank 0, if several share a run. One that takes a `Step` and does not read its
// `pass` may say so, `static constexpr bool reads_pass = false`: the processes then need not send their batches to each
// other.

/// The begin of a run: sent once, before the first step.
struct RunBegin {
  const std::vector<std::string>& phases;        ///< names of all phases
  const std::vector<std::int64_t>& epochs;       ///< maximum number of epochs of each phase
  const std::vector<std::string>& measures;      ///< names of the values in `Epoch::measures`
  const History& history;                        ///< epochs before a resume; empty in a new run
  const std::function<std::string()>& manifest;  ///< everything needed to repeat the run, as JSON
};

/// The begin of a phase, before its first step; sent again on a resume for the phase that is resumed.
struct PhaseBegin {
  const Clock& clock;
  const std::string& name;
  std::int64_t epochs;
};

/// A message to the user about how the run is done, sent once: for example that steps cannot be recorded, and why.
struct Notice {
  const std::string& text;  ///< a sentence without its full stop
};

/// One optimizer step, sent after it; `clock` already counts it. With recorded steps (`Execution::graph`) the next step
/// overwrites the tensors of `pass` and `loss`: clone those that you keep.
struct Step {
  const Clock& clock;
  const Pass& pass;        ///< batch, output and more of this step (regularize/pass.hpp)
  const at::Tensor& loss;  ///< 0-d, without penalties, on the device: reading it waits for the device
  double learning_rate;    ///< learning rate of the first parameter group
};

/// The end of a phase, sent after its last epoch.
struct PhaseEnd {
  const Outcome& outcome;
};

/// The end of a step, an epoch or a phase, sent once every observer has heard of it: the only safe point for a
/// checkpoint.
struct Boundary {
  const Clock& clock;
  bool last;                            ///< true if the run returns after this event
  const std::function<State()>& state;  ///< the state to save; reads the loss, so it waits for the device
  /// Whether the training loss and the trained weights are still finite; waits for the device. If not, the weights must
  /// not replace those of an earlier checkpoint.
  const std::function<bool()>& finite;
};

/// The end of a run: sent once, after everything else; not sent if an exception ends the run.
struct RunEnd {
  const History& history;
};

namespace detail {

template <class... Events>
struct ListOf {};

/// The list of all events. A new event must be added here, or its observers will not be called.
using AllEvents = ListOf<RunBegin, PhaseBegin, Notice, Step, Epoch, Boundary, PhaseEnd, RunEnd>;

}  // namespace detail

}  // namespace regimen::inline v0
