#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"

namespace regimen::inline v0 {

/// Which eigenvalues `top` looks for, and how exactly.
struct TopOptions {
  Integer largest = 1;      ///< how many from the upper end, at least 0
  Integer smallest = 0;     ///< how many from the lower end, at least 0
  double tolerance = 1e-4;  ///< residual ||A v - value v|| as a part of the largest absolute eigenvalue, above 0
  Integer most = 200;       ///< products with the operator in a search at most, at least 1; each keeps a vector
  bool multiple = true;     ///< whether, for more than one at an end, the rest of the space is searched once more for
                            ///< further copies of equal eigenvalues, which one search does not see
  std::uint64_t seed = 0;   ///< random seed of the first vectors

  void check() const {
    detail::require(largest >= 0, "TopOptions.largest", "at least 0", largest);
    detail::require(smallest >= 0, "TopOptions.smallest", "at least 0", smallest);
    detail::require(largest + smallest >= 1, "TopOptions.largest + smallest", "at least 1", largest + smallest);
    detail::require(tolerance > 0, "TopOptions.tolerance", "above 0", tolerance);
    detail::require(most >= 1, "TopOptions.most", "at least 1", most);
  }
};

/// An eigenvalue with its unit eigenvector. The distance to the nearest true eigenvalue is at most `residual`, and
/// mostly about its square over the distance to the next eigenvalue.
struct Eigenpair {
  double value;
  double residual;    ///< ||A v - value v||, as Lanczos' iteration tells it: right up to the rounding of the products,
                      ///< for float networks some 1e-6 of the largest eigenvalue
  at::Tensor vector;  ///< [n] double
};

/// The ends of an operator's spectrum.
struct SpectrumEnds {
  std::vector<Eigenpair> largest{};   ///< descending
  std::vector<Eigenpair> smallest{};  ///< ascending
  std::int64_t products = 0;          ///< products with the operator
  bool converged = false;             ///< whether all residuals are within the tolerance
};

}  // namespace regimen::inline v0
