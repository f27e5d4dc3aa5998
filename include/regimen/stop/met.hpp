#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/record/history.hpp"
#include "regimen/stop/concept.hpp"

namespace regimen::inline v0 {

namespace detail {

/// Throws Error if the epochs are of several phases, or if none has what the criterion reads.
inline void check_history_for(const Stop& stop, const History& history) {
  const auto none = [&](const auto& name) {
    return std::all_of(history.begin(), history.end(),
                       [&](const Epoch& epoch) { return std::isnan(value_of(epoch, name)); });
  };
  for (const Epoch& epoch : history) {
    require(epoch.clock.phase == history.epochs.front().clock.phase, "first_met: the phase of an epoch",
            "that of the first, " + text(history.epochs.front().clock.phase) + " (History::of_phase takes one apart)",
            epoch.clock.phase);
  }
  for (const Metric metric : history.empty() ? std::vector<Metric>{} : stop.metrics()) {
    if (none(metric)) {
      throw Error("first_met: the criterion reads " + name_of(metric) + ", which no epoch has");
    }
  }
  for (const std::string& measure : history.empty() ? std::vector<std::string>{} : stop.measures()) {
    if (none(measure)) {
      throw Error("first_met: the criterion reads the measure \"" + measure + "\", which no epoch has");
    }
  }
}

}  // namespace detail

/// The index of the first epoch, from 0, after which a criterion would have ended a phase that went on without it;
/// nullopt if it is never met. One training to the end compares many criteria:
///     for (const auto& [name, stop] : rules) {
///       const auto at = regimen::first_met(stop, history.of_phase(0));
///       if (at) std::printf("%s: test %.3f\n", name, history.epochs[*at].test.accuracy);
///     }
/// `history`: the epochs of one phase, scored as often as the criterion would have been asked. A criterion that reads
/// how long the phase took sees the training's own times. Calls the criterion once for each epoch, up to the first.
/// Throws Error for epochs of several phases, and for a criterion that reads a score or a measure that no epoch has.
[[nodiscard]] inline std::optional<std::size_t> first_met(const Stop& stop, const History& history) {
  detail::check_history_for(stop, history);
  History so_far;
  so_far.epochs.reserve(history.size());
  for (const Epoch& epoch : history) {
    so_far.epochs.push_back(epoch);
    if (stop(so_far)) {
      return so_far.size() - 1;
    }
  }
  return std::nullopt;
}

}  // namespace regimen::inline v0
