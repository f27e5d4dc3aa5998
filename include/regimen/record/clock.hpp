#pragma once
// No LibTorch.

#include <cmath>
#include <cstdint>

#include "regimen/base/config.hpp"

namespace regimen::inline v0 {

/// When. Everything that changes while a network trains is a function of this (and, for a few, of the scores so far).
///
/// All counts start at 0 and, but for `phase`, start again with every phase: the same phase run twice sees the same
/// clocks. In a loop of your own, advance `epoch` alone and schedules move once an epoch; set `batch` and `batches`
/// too and they move with every batch.
struct Clock {
  int phase = 0;             ///< which phase of the regime
  std::int64_t epoch = 0;    ///< complete passes over the phase's data
  std::int64_t batch = 0;    ///< batches taken in this epoch
  std::int64_t batches = 0;  ///< batches in an epoch, 0 where unknown (a stream)
  std::int64_t step = 0;     ///< optimizer steps in this phase

  /// Epochs with their fraction: 2.5 is half-way through the third epoch.
  [[nodiscard]] constexpr double position() const { return in_batches() / an_epoch(); }

  /// How far the clock is on the way from one moment to another, both in epochs: 0 at `from`, 1 at `to`, below and
  /// above outside. Moments are taken as whole batches where they are so but for rounding, 0.2 epochs of ten batches as
  /// two, and then 0 and 1 come out exactly: whether a moment has come does not hang on the last bit of a double.
  [[nodiscard]] double progress(double from, double to) const {
    const double begin = whole_batches(from);
    return (in_batches() - begin) / (whole_batches(to) - begin);
  }

  /// Whether a moment in epochs has come, in the same way.
  [[nodiscard]] bool reached(double moment) const { return in_batches() >= whole_batches(moment); }

  friend bool operator==(const Clock&, const Clock&) = default;

 private:
  /// Batches in an epoch; 1 where the clock moves in whole epochs.
  [[nodiscard]] constexpr double an_epoch() const { return batches > 0 ? static_cast<double>(batches) : 1.0; }

  [[nodiscard]] constexpr double in_batches() const {
    return static_cast<double>(epoch) * an_epoch() + (batches > 0 ? static_cast<double>(batch) : 0.0);
  }

  /// A moment in epochs as batches, as the nearest whole number of them where it is within some last bits of one.
  [[nodiscard]] double whole_batches(double moment) const {
    const double exact = moment * an_epoch();
    const double nearest = std::round(exact);
    const bool is_near = std::abs(exact - nearest) <= 1e-12 * std::abs(nearest);  // nothing but 0 is near 0
    return is_near ? nearest : exact;
  }
};

}  // namespace regimen::inline v0
