#pragma once
// No LibTorch.

#include <cstddef>
#include <optional>

#include "regimen/record/history.hpp"
#include "regimen/stop/concept.hpp"

namespace regimen::inline v0 {

/// The index of the first epoch, from 0, after which a criterion would have ended a phase that went on without it;
/// nullopt if it is never met. One training to the end compares many criteria:
///     for (const auto& [name, stop] : rules) {
///       const auto at = regimen::first_met(stop, history.of_phase(0));
///       if (at) std::printf("%s: test %.3f\n", name, history.epochs[*at].test.accuracy);
///     }
/// `history`: the epochs of one phase, scored as often as the criterion would have been asked. A criterion that reads
/// how long the phase took sees the training's own times. Calls the criterion once for each epoch, up to the first.
[[nodiscard]] inline std::optional<std::size_t> first_met(const Stop& stop, const History& history) {
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
