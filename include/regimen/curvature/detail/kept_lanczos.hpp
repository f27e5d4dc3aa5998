#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "regimen/curvature/detail/random_vectors.hpp"
#include "regimen/curvature/detail/tridiagonal.hpp"
#include "regimen/curvature/linear_operator.hpp"
#include "regimen/curvature/spectrum_ends.hpp"
#include "regimen/record/history.hpp"

namespace regimen::inline v0::detail {

/// Lanczos' iteration (1950) in the complement of some vectors, with all vectors kept and each made orthogonal to those
/// before it twice: without that, rounding brings back copies of eigenvalues that were found already.
template <LinearOperator A>
class KeptLanczos {
 public:
  /// `without`: orthonormal vectors, each [n]. `number`: of the search, for its first vector.
  KeptLanczos(const A& a, const TopOptions& how, std::vector<at::Tensor> without, std::int64_t number)
      : a_(a), how_(how), options_(vector_options(a)), without_(std::move(without)) {
    room_ = a_.size() - static_cast<std::int64_t>(without_.size());
    at::Tensor v = random_normals(a_.size(), how_.seed, number, options_);
    orthogonalize(v);
    keep(v / v.norm());
  }

  [[nodiscard]] SpectrumEnds run() {
    do {
      if (!step()) {
        return not_finite();
      }
      judge();
    } while (!converged_ && !exhausted_ && products_ < how_.most);
    return ends();
  }

 private:
  /// Room for some vectors as rows, and how many there are.
  struct Chunk {
    at::Tensor rows;
    std::int64_t used = 0;
  };

  void keep(const at::Tensor& vector) {
    if (chunks_.empty() || chunks_.back().used == chunks_.back().rows.size(0)) {
      // A short search does not take the memory of a long one; a long one has few chunks, whose products are fast.
      const std::int64_t room = std::min<std::int64_t>(std::max<std::int64_t>(std::ssize(basis_), 4), 16);
      chunks_.push_back({at::empty({room, a_.size()}, options_)});
    }
    basis_.push_back(chunks_.back().rows.select(0, chunks_.back().used++));
    basis_.back().copy_(vector);
  }

  /// Makes v orthogonal to the vectors without and to all kept ones, twice.
  void orthogonalize(at::Tensor& v) const {
    for (int pass = 0; pass < 2; ++pass) {
      for (const at::Tensor& other : without_) {
        v.sub_(other * other.dot(v));
      }
      for (const Chunk& chunk : chunks_) {
        const at::Tensor part = chunk.rows.narrow(0, 0, chunk.used);
        v.sub_(part.t().mv(part.mv(v)));
      }
    }
  }

  /// One product; false if it is not finite.
  bool step() {
    const at::Tensor last = basis_.back();
    at::Tensor v = a_.apply(last).clone();
    ++products_;
    t_.diagonal.push_back(v.dot(last).template item<double>());
    orthogonalize(v);
    const double coupling = v.norm().template item<double>();
    if (!std::isfinite(coupling)) {
      return false;
    }
    t_.beside.push_back(coupling);
    exhausted_ = std::ssize(basis_) == room_ || coupling <= no_coupling * t_.bound();
    if (exhausted_) {
      t_.beside.back() = 0;
    } else {
      keep(v / coupling);
    }
    return true;
  }

  /// The ends of an operator that is not finite: NaN.
  [[nodiscard]] SpectrumEnds not_finite() const {
    const Eigenpair none{unknown, unknown, at::full({a_.size()}, unknown, options_)};
    return {.largest = std::vector<Eigenpair>(static_cast<std::size_t>(how_.largest.value), none),
            .smallest = std::vector<Eigenpair>(static_cast<std::size_t>(how_.smallest.value), none),
            .products = products_};
  }

  /// Looks at the eigenvalues of T: which are wanted, and whether their residuals are small enough.
  void judge() {
    eigen_ = t_.eigen();
    const double most = how_.tolerance * eigen_.norm();
    const std::size_t found = eigen_.values.size();
    const auto largest = static_cast<std::size_t>(how_.largest.value);
    const auto smallest = static_cast<std::size_t>(how_.smallest.value);
    converged_ = exhausted_ || found >= std::max(largest, smallest);
    for (std::size_t i = 0; i < found && converged_; ++i) {
      const bool wanted = i < smallest || found - 1 - i < largest;
      converged_ = !wanted || residual(i) <= most;
    }
  }

  [[nodiscard]] double residual(std::size_t i) const {
    return t_.beside.back() * std::abs(eigen_.entry(t_.size() - 1, i));
  }

  [[nodiscard]] Eigenpair pair(std::size_t i) const {
    at::Tensor vector = basis_[0] * eigen_.entry(0, i);
    for (std::size_t row = 1; row < t_.size(); ++row) {
      vector.add_(basis_[row], eigen_.entry(row, i));
    }
    return {eigen_.values[i], residual(i), vector / vector.norm()};
  }

  [[nodiscard]] SpectrumEnds ends() const {
    SpectrumEnds result{.products = products_, .converged = converged_};
    const std::size_t found = eigen_.values.size();
    for (std::size_t i = 0; i < std::min(found, static_cast<std::size_t>(how_.largest.value)); ++i) {
      result.largest.push_back(pair(found - 1 - i));
    }
    for (std::size_t i = 0; i < std::min(found, static_cast<std::size_t>(how_.smallest.value)); ++i) {
      result.smallest.push_back(pair(i));
    }
    return result;
  }

  const A& a_;
  TopOptions how_;
  at::TensorOptions options_;
  std::vector<at::Tensor> without_;
  std::int64_t room_ = 0;  ///< dimension of the complement
  std::vector<Chunk> chunks_;
  std::vector<at::Tensor> basis_;  ///< the kept vectors, rows of the chunks
  Tridiagonal t_;
  Tridiagonal::Eigen eigen_;
  std::int64_t products_ = 0;
  bool exhausted_ = false;  ///< whether the operator does not lead out of the kept vectors' span
  bool converged_ = false;
};

}  // namespace regimen::inline v0::detail
