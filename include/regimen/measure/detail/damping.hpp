#pragma once

#include <algorithm>
#include <cstdint>

#include "regimen/curvature/linear_operator.hpp"
#include "regimen/curvature/top.hpp"

namespace regimen::inline v0::detail {

/// The number that is added to an operator's eigenvalues.
struct Damping {
  double added;
  bool found;  ///< whether the search for the largest eigenvalue has converged
};

/// `lambda`, or if `relative` this times the largest eigenvalue; 0 for an operator without positive eigenvalues, NaN
/// for one that is not finite. Adds the products that it took to `products`.
template <LinearOperator A>
Damping damping_of(const A& a, double lambda, bool relative, std::uint64_t seed, std::int64_t& products) {
  if (!relative) {
    return {lambda, true};
  }
  const SpectrumEnds ends = top(a, {.tolerance = 1e-6, .seed = seed});
  products += ends.products;
  return {lambda * std::max(ends.largest.front().value, 0.0), ends.converged};
}

}  // namespace regimen::inline v0::detail
