#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
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
      step();
      judge();
    } while (!converged_ && !exhausted_ && products_ < how_.most);
    return ends();
  }

 private:
  static constexpr std::size_t rows_a_chunk = 16;

  [[nodiscard]] at::Tensor basis_vector(std::size_t i) const {
    return chunks_[i / rows_a_chunk].select(0, static_cast<std::int64_t>(i % rows_a_chunk));
  }

  void keep(const at::Tensor& vector) {
    if (kept_ % rows_a_chunk == 0) {
      chunks_.push_back(at::empty({static_cast<std::int64_t>(rows_a_chunk), a_.size()}, options_));
    }
    ++kept_;
    basis_vector(kept_ - 1).copy_(vector);
  }

  /// Makes v orthogonal to the vectors without and to all kept ones, twice.
  void orthogonalize(at::Tensor& v) const {
    for (int pass = 0; pass < 2; ++pass) {
      for (const at::Tensor& other : without_) {
        v.sub_(other * other.dot(v));
      }
      for (std::size_t c = 0; c < chunks_.size(); ++c) {
        const auto rows = static_cast<std::int64_t>(std::min(rows_a_chunk, kept_ - c * rows_a_chunk));
        const at::Tensor part = chunks_[c].narrow(0, 0, rows);
        v.sub_(part.t().mv(part.mv(v)));
      }
    }
  }

  void step() {
    const at::Tensor last = basis_vector(kept_ - 1);
    at::Tensor v = a_.apply(last).clone();
    ++products_;
    t_.diagonal.push_back(v.dot(last).template item<double>());
    orthogonalize(v);
    const double coupling = v.norm().template item<double>();
    require(std::isfinite(coupling), "top: the norm of a product with the operator", "finite", coupling);
    t_.beside.push_back(coupling);
    exhausted_ = static_cast<std::int64_t>(kept_) == room_ || coupling <= no_coupling * t_.bound();
    if (exhausted_) {
      t_.beside.back() = 0;
    } else {
      keep(v / coupling);
    }
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
    at::Tensor vector = basis_vector(0) * eigen_.entry(0, i);
    for (std::size_t row = 1; row < t_.size(); ++row) {
      vector.add_(basis_vector(row), eigen_.entry(row, i));
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
  std::vector<at::Tensor> chunks_;
  std::size_t kept_ = 0;
  Tridiagonal t_;
  Tridiagonal::Eigen eigen_;
  std::int64_t products_ = 0;
  bool exhausted_ = false;  ///< whether the operator does not lead out of the kept vectors' span
  bool converged_ = false;
};

/// The result of one search after another, each in the complement of the eigenvectors found before.
template <LinearOperator A>
class TopSearch {
 public:
  TopSearch(const A& a, const TopOptions& how) : a_(a), how_(how) {}

  [[nodiscard]] SpectrumEnds run() {
    const auto wanted_above = std::min<std::int64_t>(how_.largest, a_.size());
    const auto wanted_below = std::min<std::int64_t>(how_.smallest, a_.size());
    search(how_);
    // One search finds one of several equal eigenvalues. The next one looks for the end of what is left, and is the
    // last one if that would not be among the wanted.
    bool above = open(found_.largest, wanted_above);
    bool below = open(found_.smallest, wanted_below);
    while (found_.converged && (above || below) && static_cast<std::int64_t>(vectors_.size()) < a_.size()) {
      TopOptions next = how_;
      next.largest = above ? 1 : 0;
      next.smallest = below ? 1 : 0;
      const SpectrumEnds more = search(next);
      const double margin = how_.tolerance * norm();
      above = above && add(found_.largest, more.largest, wanted_above, margin, /*descending=*/true);
      below = below && add(found_.smallest, more.smallest, wanted_below, margin, /*descending=*/false);
    }
    return found_;
  }

 private:
  /// Whether another search may change these.
  [[nodiscard]] bool open(const std::vector<Eigenpair>& pairs, std::int64_t wanted) const {
    const auto found = static_cast<std::int64_t>(pairs.size());
    return wanted > 0 && (found < wanted || (wanted > 1 && how_.multiple));
  }

  SpectrumEnds search(const TopOptions& how) {
    SpectrumEnds result = KeptLanczos<A>(a_, how, vectors_, searches_++).run();
    for (const auto& pairs : {result.largest, result.smallest}) {
      for (const Eigenpair& pair : pairs) {
        remember(pair.vector);
      }
    }
    const bool first = searches_ == 1;
    found_.products += result.products;
    found_.converged = result.converged && (first || found_.converged);
    if (first) {
      found_.largest = result.largest;
      found_.smallest = result.smallest;
    }
    return result;
  }

  /// Adds an eigenvector to those that later searches leave out; one from both ends of a small operator once.
  void remember(const at::Tensor& vector) {
    at::Tensor rest = vector.clone();
    for (const at::Tensor& other : vectors_) {
      rest.sub_(other * other.dot(rest));
    }
    const double length = rest.norm().template item<double>();
    if (length > 1e-3) {
      vectors_.push_back(rest / length);
    }
  }

  [[nodiscard]] double norm() const {
    double most = 0;
    for (const auto& pairs : {found_.largest, found_.smallest}) {
      for (const Eigenpair& pair : pairs) {
        most = std::max(most, std::abs(pair.value));
      }
    }
    return most;
  }

  /// Adds what a later search has found, if it is wanted; whether the search after it may find more.
  static bool add(std::vector<Eigenpair>& pairs, const std::vector<Eigenpair>& more, std::int64_t wanted, double margin,
                  bool descending) {
    const auto before = [descending](const Eigenpair& a, const Eigenpair& b) {
      return descending ? a.value > b.value : a.value < b.value;
    };
    const bool full = static_cast<std::int64_t>(pairs.size()) >= wanted;
    if (more.empty() || (full && std::abs(more[0].value - pairs.back().value) <= margin) ||
        (full && !before(more[0], pairs.back()))) {
      return false;
    }
    pairs.insert(std::upper_bound(pairs.begin(), pairs.end(), more[0], before), more[0]);
    if (static_cast<std::int64_t>(pairs.size()) > wanted) {
      pairs.pop_back();
    }
    return true;
  }

  const A& a_;
  TopOptions how_;
  SpectrumEnds found_;
  std::vector<at::Tensor> vectors_;
  std::int64_t searches_ = 0;
};

}  // namespace detail

/// Both ends of an operator's spectrum, signed, by Lanczos' iteration. Equal eigenvalues are found as often as they
/// occur, which for more than one at an end takes a second search, about as long as the first (`multiple`).
///
/// Costs a product with the operator and a vector of doubles for each step: 6 to 30 steps for the largest eigenvalue of
/// a Hessian. Deterministic: the first vectors are functions of the seed. Throws Error for settings out of their range
/// and for a product that is not finite; a result that has not converged within `most` products says so.
///     const regimen::SpectrumEnds ends = regimen::top(hessian, {.largest = 5, .smallest = 1});
template <LinearOperator A>
[[nodiscard]] SpectrumEnds top(const A& a, const TopOptions& how = {}) {
  how.check();
  detail::require(a.size() >= 1, "top: the operator's size()", "at least 1", a.size());
  return detail::TopSearch<A>(a, how).run();
}

}  // namespace regimen::inline v0
