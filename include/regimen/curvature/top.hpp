#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/curvature/detail/random_vectors.hpp"
#include "regimen/curvature/detail/tridiagonal.hpp"
#include "regimen/curvature/linear_operator.hpp"

namespace regimen::inline v0 {

/// Which eigenvalues `top` looks for, and how exactly.
struct TopOptions {
  Integer largest = 1;      ///< how many from the upper end, at least 0
  Integer smallest = 0;     ///< how many from the lower end, at least 0
  double tolerance = 1e-4;  ///< residual ||A v - value v|| as a part of the largest absolute eigenvalue, above 0
  Integer most = 200;       ///< products with the operator at most, at least 1; each keeps a vector of doubles
  std::uint64_t seed = 0;   ///< random seed of the first vector

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
  double residual;    ///< ||A v - value v||
  at::Tensor vector;  ///< [n] double
};

/// The ends of an operator's spectrum.
struct SpectrumEnds {
  std::vector<Eigenpair> largest{};   ///< descending
  std::vector<Eigenpair> smallest{};  ///< ascending
  std::int64_t products = 0;          ///< products with the operator
  bool converged = false;             ///< whether all residuals are within the tolerance
};

namespace detail {

/// Lanczos' iteration with all vectors kept, each made orthogonal to those before it twice: without that, rounding
/// brings back copies of eigenvalues that were found already.
template <LinearOperator A>
class KeptLanczos {
 public:
  KeptLanczos(const A& a, const TopOptions& how) : a_(a), how_(how), options_(vector_options(a)) { begin_block(); }

  [[nodiscard]] SpectrumEnds run() {
    while (!finished()) {
      step();
    }
    return ends();
  }

 private:
  static constexpr std::int64_t rows_a_chunk = 16;

  [[nodiscard]] at::Tensor basis_vector(std::size_t i) const {
    return chunks_[i / rows_a_chunk].select(0, static_cast<std::int64_t>(i % rows_a_chunk));
  }

  void keep(const at::Tensor& vector) {
    if (kept_ % rows_a_chunk == 0) {
      chunks_.push_back(at::empty({rows_a_chunk, a_.size()}, options_));
    }
    ++kept_;
    basis_vector(kept_ - 1).copy_(vector);
  }

  /// Makes v orthogonal to all kept vectors, twice.
  void orthogonalize(at::Tensor& v) const {
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t c = 0; c < chunks_.size(); ++c) {
        const auto rows = std::min<std::int64_t>(rows_a_chunk, static_cast<std::int64_t>(kept_ - c * rows_a_chunk));
        const at::Tensor part = chunks_[c].narrow(0, 0, rows);
        v.sub_(part.t().mv(part.mv(v)));
      }
    }
  }

  /// Keeps a random unit vector orthogonal to the kept ones: the begin, or a new begin where the operator does not
  /// leave their span. Without the latter, one of several equal eigenvalues would be found.
  void begin_block() {
    block_ = kept_;
    at::Tensor v;
    double length = 0;
    while (length < 1e-6) {  // in the span of the kept ones, as half of all sign vectors of length 2 are
      v = random_signs(a_.size(), how_.seed, vectors_++, options_);
      orthogonalize(v);
      length = v.norm().template item<double>();
    }
    keep(v / length);
  }

  void step() {
    at::Tensor v = a_.apply(basis_vector(kept_ - 1)).clone();
    ++products_;
    t_.diagonal.push_back(v.dot(basis_vector(kept_ - 1)).template item<double>());
    orthogonalize(v);
    const double coupling = v.norm().template item<double>();
    require(std::isfinite(coupling), "top: the norm of a product with the operator", "finite", coupling);
    t_.beside.push_back(coupling);
    if (static_cast<std::int64_t>(kept_) == a_.size()) {
      t_.beside.back() = 0;
    } else if (coupling <= no_coupling * t_.bound()) {
      t_.beside.back() = 0;
      judge();  // while the finished block is the last one
      if (!converged_ && products_ < how_.most) {
        begin_block();
      }
    } else {
      keep(v / coupling);
    }
  }

  [[nodiscard]] bool finished() {
    if (t_.size() == 0) {
      return false;
    }
    judge();
    return converged_ || products_ >= how_.most || static_cast<std::int64_t>(t_.size()) == a_.size();
  }

  /// Looks at the eigenvalues of T: which are wanted, and whether their residuals are small enough.
  void judge() {
    eigen_ = t_.eigen();
    const double most = how_.tolerance * eigen_.norm();
    const std::size_t found = eigen_.values.size();
    const auto largest = static_cast<std::size_t>(how_.largest.value);
    const auto smallest = static_cast<std::size_t>(how_.smallest.value);
    bool small = true;
    for (std::size_t i = 0; i < found; ++i) {
      const bool wanted = i < smallest || found - 1 - i < largest;
      small = small && (!wanted || residual(i) <= most);
    }
    const bool all = static_cast<std::int64_t>(found) == a_.size();
    converged_ = all || (small && found >= std::max(largest, smallest) && adds_nothing(most));
  }

  /// Whether what is left, outside of the kept vectors' span, is known to be no wanted eigenvalue. The last block began
  /// with a random vector outside of the blocks before it, so the ends of its own spectrum bound what those left.
  [[nodiscard]] bool adds_nothing(double tolerance) const {
    if (block_ == 0 || block_ == t_.size()) {
      return block_ == 0 && t_.beside.back() > 0;
    }
    const Tridiagonal::Eigen own = t_.eigen(block_);
    const std::size_t last = own.values.size() - 1;
    const auto settled = [&](std::size_t i) { return t_.beside.back() * std::abs(own.entry(last, i)) <= tolerance; };
    const std::size_t found = eigen_.values.size();
    const auto largest = static_cast<std::size_t>(how_.largest.value);
    const auto smallest = static_cast<std::size_t>(how_.smallest.value);
    return (largest == 0 || (settled(last) && eigen_.values[found - largest] >= own.values[last] - tolerance)) &&
           (smallest == 0 || (settled(0) && eigen_.values[smallest - 1] <= own.values[0] + tolerance));
  }

  [[nodiscard]] double residual(std::size_t i) const {
    return t_.beside.back() * std::abs(eigen_.entry(t_.size() - 1, i));
  }

  [[nodiscard]] Eigenpair pair(std::size_t i) const {
    at::Tensor vector = basis_vector(0) * eigen_.entry(0, i);
    for (std::size_t row = 1; row < t_.size(); ++row) {
      vector.add_(basis_vector(row), eigen_.entry(row, i));
    }
    return {eigen_.values[i], residual(i), vector / vector.norm()};
  }

  [[nodiscard]] SpectrumEnds ends() const {
    SpectrumEnds result{.products = products_, .converged = converged_};
    const std::size_t found = eigen_.values.size();
    for (std::size_t i = 0; i < std::min<std::size_t>(found, static_cast<std::size_t>(how_.largest.value)); ++i) {
      result.largest.push_back(pair(found - 1 - i));
    }
    for (std::size_t i = 0; i < std::min<std::size_t>(found, static_cast<std::size_t>(how_.smallest.value)); ++i) {
      result.smallest.push_back(pair(i));
    }
    return result;
  }

  const A& a_;
  TopOptions how_;
  at::TensorOptions options_;
  std::vector<at::Tensor> chunks_;
  std::size_t kept_ = 0;
  std::size_t block_ = 0;     ///< the row of T at which the last block begins
  std::int64_t vectors_ = 0;  ///< random vectors so far
  Tridiagonal t_;
  Tridiagonal::Eigen eigen_;
  std::int64_t products_ = 0;
  bool converged_ = false;
};

}  // namespace detail

/// Both ends of an operator's spectrum, signed, by Lanczos' iteration (1950) with all vectors kept and made orthogonal
/// twice; eigenvalues that occur several times are found as often where the operator has few different ones.
///
/// Costs a product with the operator and a vector of doubles for each step: 6 to 30 steps for the largest eigenvalue of
/// a Hessian. Deterministic, up to the first vector, a function of the seed. Throws Error for settings out of their
/// range and for a product that is not finite; a result that has not converged within `most` products says so.
///     const regimen::SpectrumEnds ends = regimen::top(hessian, {.largest = 5, .smallest = 1});
template <LinearOperator A>
[[nodiscard]] SpectrumEnds top(const A& a, const TopOptions& how = {}) {
  how.check();
  detail::require(a.size() >= 1, "top: the operator's size()", "at least 1", a.size());
  return detail::KeptLanczos<A>(a, how).run();
}

}  // namespace regimen::inline v0
