#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// The symmetric tridiagonal matrix T that Lanczos' iteration builds, row by row: diagonal a_0 ... a_{m-1}, and b_i
/// beside a_i and a_{i+1}.
struct Tridiagonal {
  std::vector<double> diagonal;
  std::vector<double> beside;  ///< of the length of `diagonal`: the last entry leads to the row that is not there yet

  [[nodiscard]] std::size_t size() const { return diagonal.size(); }

  /// The eigenvalues, ascending, and the eigenvectors as columns.
  struct Eigen {
    std::vector<double> values;
    at::Tensor vectors;  ///< [m, m] double on the CPU

    /// Entry `row` of eigenvector `i`.
    [[nodiscard]] double entry(std::size_t row, std::size_t i) const {
      return vectors[static_cast<std::int64_t>(row)][static_cast<std::int64_t>(i)].item<double>();
    }
    /// The largest absolute eigenvalue.
    [[nodiscard]] double norm() const {
      return values.empty() ? 0 : std::max(std::abs(values.front()), std::abs(values.back()));
    }
  };
  [[nodiscard]] Eigen eigen() const {
    const auto rows = static_cast<std::int64_t>(size());
    at::Tensor matrix = at::zeros({rows, rows}, at::kDouble);
    auto* const to = matrix.data_ptr<double>();
    for (std::int64_t i = 0; i < rows; ++i) {
      const auto k = static_cast<std::size_t>(i);
      to[i * rows + i] = diagonal[k];
      if (i + 1 < rows) {
        to[i * rows + i + 1] = to[(i + 1) * rows + i] = beside[k];
      }
    }
    const auto [values, vectors] = at::linalg_eigh(matrix);
    const double* const from = values.data_ptr<double>();
    return {{from, from + rows}, vectors};
  }

  /// A bound of the largest absolute eigenvalue: the largest sum of a row's absolute entries (Gershgorin).
  [[nodiscard]] double bound() const {
    double most = 0;
    for (std::size_t i = 0; i < size(); ++i) {
      most = std::max(most, std::abs(diagonal[i]) + (i > 0 ? beside[i - 1] : 0) + beside[i]);
    }
    return most;
  }
};

/// The part of an operator's size below which a coupling b counts as 0: the vectors so far then span a subspace that
/// the operator does not leave, and the iteration has nothing left to find from there.
inline constexpr double no_coupling = 1e-12;

}  // namespace regimen::inline v0::detail
