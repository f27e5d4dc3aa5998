#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/observe/event.hpp"
#include "regimen/run/options.hpp"
#include "regimen/run/phase.hpp"

/// Checks and changes of the state that a run is resumed from.
namespace regimen::inline v0::detail {

/// Throws Error if the phases of a checkpoint have other names than the run's.
inline void check_resumed_names(const std::vector<Phase>& phases, const History& history) {
  for (const Epoch& epoch : history) {
    const auto phase = static_cast<std::size_t>(epoch.clock.phase);
    if (phase >= phases.size() || phases[phase].name != epoch.phase) {
      throw Error("RunOptions.from was saved by a run whose phase " + text(epoch.clock.phase) + " is \"" + epoch.phase +
                  "\"; here it is " + (phase < phases.size() ? "\"" + phases[phase].name + "\"" : "missing"));
    }
  }
}

/// Adds an epoch to the history that criteria and schedules see: the scored epochs and the last one. Going through all
/// of a hundred thousand epochs at every step would cost more than the steps.
inline void remember(History& phase_history, const Epoch& epoch) {
  auto& epochs = phase_history.epochs;
  if (!epochs.empty() && !epochs.back().scored()) {
    epochs.pop_back();
  }
  epochs.push_back(epoch);
}

/// The part of a run's history that criteria and schedules of a phase see.
inline History remembered(const History& history, int phase) {
  History seen;
  for (const Epoch& epoch : history) {
    if (epoch.clock.phase == phase) {
      remember(seen, epoch);
    }
  }
  return seen;
}

/// Whether the last phase that ended should continue: no step was taken since, the phase has more epochs now, and its
/// criterion does not end it.
inline bool is_to_go_on(const std::vector<Phase>& phases, const State& from) {
  if (from.history.outcomes.empty() || from.clock != Clock{.phase = from.clock.phase}) {
    return false;
  }
  const Outcome& last = from.history.outcomes.back();
  if (last.clock.phase + 1 != from.clock.phase || last.clock.phase < 0 ||
      last.clock.phase >= static_cast<int>(phases.size())) {
    return false;
  }
  const Phase& phase = phases[static_cast<std::size_t>(last.clock.phase)];
  const bool ended = last.ended == Ended::epochs || last.ended == Ended::criterion;
  return ended && last.clock.epoch < phase.epochs && !phase.until(remembered(from.history, last.clock.phase));
}

/// The state with its last phase not ended yet.
inline State going_on(State from) {
  from.clock = from.history.outcomes.back().clock;
  from.seconds = from.history.empty() ? 0 : from.history.back().seconds;
  from.history.outcomes.pop_back();
  return from;
}

/// Throws Error if the phase, as it is now, would not have ended as it did. Its criterion is asked again if it is a
/// function of its fields; a lambda may have read something that has changed since.
inline void check_outcome(const Phase& phase, const Outcome& outcome, const History& history) {
  const std::string who = "Phase \"" + phase.name + "\".";
  const std::int64_t done = outcome.clock.epoch;
  if (outcome.ended == Ended::epochs && done != phase.epochs) {
    throw Error(who + "epochs must be " + text(done) + ", which it had before RunOptions.from was saved, but is " +
                text(phase.epochs) + ": another number comes too late for it");
  }
  require(done <= phase.epochs, who + "epochs",
          "at least " + text(done) + ", the epochs that it had taken before RunOptions.from was saved", phase.epochs);
  const bool asks = outcome.ended == Ended::criterion && done < phase.epochs && phase.until.is_of_values();
  if (asks && !phase.until(remembered(history, outcome.clock.phase))) {
    throw Error(who + "until must say that the phase is over after " + text(done) +
                " epochs, as it did before RunOptions.from was saved, but is " + phase.until.manifest() +
                ": another criterion comes too late for it");
  }
}

/// Throws Error if the phases differ from what the checkpoint's run has done already, which could only be ignored.
inline void check_resume(const std::vector<Phase>& phases, const State& from) {
  const auto count = static_cast<int>(phases.size());
  require(from.clock.phase >= 0 && from.clock.phase <= count, "RunOptions.from.clock.phase", "in [0, phases.size()]",
          from.clock.phase);
  check_resumed_names(phases, from.history);
  const bool goes_on = is_to_go_on(phases, from);
  for (std::size_t i = 0; i + (goes_on ? 1 : 0) < from.history.outcomes.size(); ++i) {
    const Outcome& outcome = from.history.outcomes[i];
    require(outcome.clock.phase >= 0 && outcome.clock.phase < count, "RunOptions.from: an outcome's phase",
            "in [0, phases.size())", outcome.clock.phase);
    check_outcome(phases[static_cast<std::size_t>(outcome.clock.phase)], outcome, from.history);
  }
  if (from.clock.phase == count) {
    return;
  }
  const Phase& phase = phases[static_cast<std::size_t>(from.clock.phase)];
  const Clock& clock = from.clock;
  const std::int64_t begun = clock.epoch + (clock.batch > 0 ? 1 : 0);
  require(begun <= phase.epochs, "Phase \"" + phase.name + "\".epochs",
          "at least " + text(begun) + ", the epochs that it had begun when RunOptions.from was saved", phase.epochs);
  if (clock.batch > 0 && clock.batches > 0) {
    const Order order{.batch = phase.batch, .shuffle = phase.shuffle, .seed = phase.seed, .drop_last = phase.drop_last};
    const std::int64_t batches = phase.data.batches(order);
    require(batches == clock.batches, "Phase \"" + phase.name + "\".data: its number of batches",
            text(clock.batches) + ", which it had when RunOptions.from was saved in the middle of an epoch", batches);
  }
}

}  // namespace regimen::inline v0::detail
