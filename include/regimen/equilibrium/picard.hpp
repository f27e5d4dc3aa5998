#pragma once

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"

namespace regimen::inline v0 {

/// Picard's iteration x <- x + mixing (T(x) - x), a solver for `fixed_point`. It converges where T contracts, its error
/// times the spectral radius of T's Jacobian a step.
struct Picard {
  double tolerance = 1e-4;       ///< of |T(x) - x| / (|T(x)| + floor) of every sample, above 0
  Integer iterations = 1000;     ///< at most, at least 0
  double mixing = 1;             ///< in (0, 1]; below 1 it damps, which ends oscillations
  double floor = 1e-12;          ///< above 0: with it a solution at 0 can be met
  bool check_stability = false;  ///< as in `Anderson`; needed only where the start may be an unstable fixed point

  void check() const {
    detail::require(tolerance > 0, "Picard.tolerance", "above 0", tolerance);
    detail::require(iterations >= 0, "Picard.iterations", "at least 0", iterations);
    detail::require(mixing > 0 && mixing <= 1, "Picard.mixing", "in (0, 1]", mixing);
    detail::require(floor > 0, "Picard.floor", "above 0", floor);
  }
};

}  // namespace regimen::inline v0
