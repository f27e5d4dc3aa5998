#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/curvature/detail/kept_lanczos.hpp"
#include "regimen/curvature/linear_operator.hpp"
#include "regimen/curvature/spectrum_ends.hpp"

namespace regimen::inline v0 {

namespace detail {

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
/// a Hessian. Deterministic: the first vectors are functions of the seed. A product that is not
/// finite makes all values NaN; a result that has not converged within `most` products says so. Throws Error for
/// settings out of their range.
///     const regimen::SpectrumEnds ends = regimen::top(hessian, {.largest = 5, .smallest = 1});
template <LinearOperator A>
[[nodiscard]] SpectrumEnds top(const A& a, const TopOptions& how = {}) {
  how.check();
  detail::require(a.size() >= 1, "top: the operator's size()", "at least 1", a.size());
  return detail::TopSearch<A>(a, how).run();
}

}  // namespace regimen::inline v0
