#pragma once
// No LibTorch.

#include <cstdint>

#include "regimen/config.hpp"

namespace regimen::inline v0 {

/// When. Everything that changes while a network trains is a function of this (and, for a few, of the scores so far).
///
/// All counts start at 0 and, but for `phase`, start again with every phase: the same phase run twice sees the same
/// clocks. In a loop of your own, advance `epoch` alone and schedules move once an epoch; set `batch` and `batches`
/// too and they move with every batch.
struct Clock {
  int phase = 0;             ///< which phase of the regime
  int epoch = 0;             ///< complete passes over the phase's data
  std::int64_t batch = 0;    ///< batches taken in this epoch
  std::int64_t batches = 0;  ///< batches in an epoch, 0 where unknown (a stream)
  std::int64_t step = 0;     ///< optimizer steps in this phase

  /// Epochs with their fraction: 2.5 is half-way through the third epoch.
  [[nodiscard]] constexpr double position() const {
    const double part = batches > 0 ? static_cast<double>(batch) / static_cast<double>(batches) : 0.0;
    return epoch + part;
  }

  friend bool operator==(const Clock&, const Clock&) = default;
};

}  // namespace regimen::inline v0
