#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/base/lock.hpp"
#include "regimen/checkpoint/save.hpp"
#include "regimen/observe/event.hpp"

namespace regimen::inline v0 {

/// The times at which a `Checkpoint` writes: after `steps` optimizer steps or `seconds` seconds, whichever comes first
/// (0 for never), and always when a run is stopped.
struct Often {
  Integer steps = 0;
  double seconds = 60;
};

/// An observer of `run` that writes checkpoints.
///
/// A run locks its checkpoint's file (path + ".lock"), so that no other run overwrites it. Once the training loss or a
/// trained weight is NaN or infinite nothing is written any more: the file keeps the last finite weights. `run` throws
/// Error if another run holds the file or it cannot be written.
///     regimen::Checkpoint keep("run.pt", {.seconds = 60}, net, optimizer);
///     regimen::run(net, phases, scoring, options, keep);
class Checkpoint {
 public:
  static constexpr bool writes = true;

  template <Storable... Things>
  explicit Checkpoint(std::string path, Often often, Things&... things) : path_(std::move(path)), often_(often) {
    detail::require(often.steps >= 0, "Often.steps", "at least 0", often.steps);
    detail::require(often.seconds >= 0, "Often.seconds", "at least 0", often.seconds);
    save_ = [this, &things...](const State& state) { save_checkpoint(path_, state, things...); };
  }

  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;

  void operator()(const RunBegin& /*begin*/) {
    lock_.reset();  // still held if an exception ended the last run
    lock_ = std::make_unique<Lock>(path_ + ".lock");
  }
  void operator()(const RunEnd& /*end*/) { lock_.reset(); }

  void operator()(const PhaseBegin& begin) { counted_ = begin.clock; }

  void operator()(const Boundary& boundary) {
    const auto now = WallClock::now();
    count_steps(boundary.clock);
    const bool enough_steps = often_.steps > 0 && steps_ >= often_.steps;
    const bool long_enough =
        often_.seconds > 0 && std::chrono::duration<double>(now - written_).count() >= often_.seconds;
    if (boundary.last || enough_steps || long_enough) {
      if (boundary.finite()) {
        save_(boundary.state());
      }
      steps_ = 0;
      written_ = WallClock::now();
    }
  }

 private:
  using WallClock = std::chrono::steady_clock;

  /// Some boundaries have no step: those at the end of an epoch or a phase.
  void count_steps(const Clock& clock) {
    steps_ += clock.phase == counted_.phase ? clock.step - counted_.step : clock.step;
    counted_ = clock;
  }

  std::string path_;
  Often often_;
  std::unique_ptr<Lock> lock_;
  std::function<void(const State&)> save_;
  std::int64_t steps_ = 0;  ///< steps since the last checkpoint
  Clock counted_{};         ///< time up to which steps are counted
  WallClock::time_point written_ = WallClock::now();
};

}  // namespace regimen::inline v0
