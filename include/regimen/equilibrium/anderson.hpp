#pragma once

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"

namespace regimen::inline v0 {

/// Anderson's acceleration (1965), a solver for `fixed_point`: the next iterate is the combination of the last ones,
/// and of T of them, whose residuals cancel best, for each sample by itself. It takes fewer evaluations of T than
/// Picard's iteration, and also reaches fixed points that repel that iteration, which is why it looks at their
/// stability.
///
/// The weights come from each sample's matrix of inner products of residuals, over its largest diagonal entry, plus
/// `ridge`, solved in double: a sample that has converged does not make it singular. Its memory is 2 * `memory`
/// batches.
struct Anderson {
  double tolerance = 1e-4;      ///< of |T(x) - x| / (|T(x)| + floor) of every sample, above 0
  Integer iterations = 200;     ///< at most, at least 0
  Integer memory = 5;           ///< iterates that are combined, at least 1; with 1 it is Picard's iteration
  double mixing = 1;            ///< in (0, 1]: the part of T of the iterates, beside the iterates
  double ridge = 1e-8;          ///< in (0, 1]
  double floor = 1e-12;         ///< above 0: with it a solution at 0 can be met
  bool check_stability = true;  ///< whether `spectral_radius` is asked at the solution, for 3 to 30 backward passes
                                ///< through T: more than the solve often costs, so switch it off in the steps of a
                                ///< training that looks at it now and then

  void check() const {
    detail::require(tolerance > 0, "Anderson.tolerance", "above 0", tolerance);
    detail::require(iterations >= 0, "Anderson.iterations", "at least 0", iterations);
    detail::require(memory >= 1, "Anderson.memory", "at least 1", memory);
    detail::require(mixing > 0 && mixing <= 1, "Anderson.mixing", "in (0, 1]", mixing);
    detail::require(ridge > 0 && ridge <= 1, "Anderson.ridge", "in (0, 1]", ridge);
    detail::require(floor > 0, "Anderson.floor", "above 0", floor);
  }
};

}  // namespace regimen::inline v0
