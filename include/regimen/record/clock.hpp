#pragma once
// No LibTorch.

#include <cmath>
#include <cstdint>

#include "regimen/base/config.hpp"

namespace regimen::inline v0 {

/// The time of a run, in phases, epochs, batches and steps. Everything that changes during training is a function of
/// the clock (and in a few cases of the scores so far).
///
/// All counts start at 0, and all but `phase` start again with every phase: a phase that is run twice sees the same
/// clocks. In a loop of your own, advance `epoch` alone and schedules change once an epoch; set `batch` and `batches`
/// too and they change with every batch.
struct Clock {
  int phase = 0;             ///< index of the phase in the regime
  std::int64_t epoch = 0;    ///< complete passes over the phase's data
  std::int64_t batch = 0;    ///< batches taken in this epoch
  std::int64_t batches = 0;  ///< batches in an epoch; 0 if unknown (a stream)
  std::int64_t step = 0;     ///< optimizer steps in this phase

  /// Time in epochs, with a fraction: 2.5 is half-way through the third epoch.
  [[nodiscard]] constexpr double position() const { return in_batches() / an_epoch(); }

  /// Position between two times given in epochs: 0 at `from`, 1 at `to`, below 0 before and above 1 after. A time that
  /// is a whole number of batches up to rounding is taken as that number (0.2 epochs of ten batches as two batches), so
  /// 0 and 1 come out exactly and no comparison depends on the last bit of a double.
  [[nodiscard]] double progress(double from, double to) const {
    const double begin = whole_batches(from);
    return (in_batches() - begin) / (whole_batches(to) - begin);
  }

  /// True once a time given in epochs has come, with the rounding of `progress`.
  [[nodiscard]] bool reached(double moment) const { return in_batches() >= whole_batches(moment); }

  friend bool operator==(const Clock&, const Clock&) = default;

 private:
  /// Batches in an epoch; 1 if the clock advances in whole epochs.
  [[nodiscard]] constexpr double an_epoch() const { return batches > 0 ? static_cast<double>(batches) : 1.0; }

  [[nodiscard]] constexpr double in_batches() const {
    return static_cast<double>(epoch) * an_epoch() + (batches > 0 ? static_cast<double>(batch) : 0.0);
  }

  /// A time in epochs as batches: the nearest whole number of them if the difference is only rounding.
  [[nodiscard]] double whole_batches(double moment) const {
    const double exact = moment * an_epoch();
    const double nearest = std::round(exact);
    const bool is_near = std::abs(exact - nearest) <= 1e-12 * std::abs(nearest);  // relative, so only 0 is near 0
    return is_near ? nearest : exact;
  }
};

}  // namespace regimen::inline v0
