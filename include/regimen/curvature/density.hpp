#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <type_traits>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/curvature/detail/random_vectors.hpp"
#include "regimen/curvature/detail/tridiagonal.hpp"
#include "regimen/curvature/linear_operator.hpp"
#include "regimen/record/history.hpp"
#include "regimen/statistics/monte_carlo.hpp"

namespace regimen::inline v0 {

/// A point of a spectrum's estimate.
struct SpectrumPoint {
  double value;   ///< NaN for an operator that is not finite
  double weight;  ///< share of the spectrum near `value`; the weights of one draw sum to 1
};

/// An estimate of the density of an operator's eigenvalues, from several random vectors.
struct SpectralDensity {
  std::vector<std::vector<SpectrumPoint>> draws{};  ///< for each random vector, its points by ascending value
  std::int64_t size = 0;                            ///< number of eigenvalues
  std::int64_t products = 0;                        ///< products with the operator

  /// The density at x, smoothed by Gaussians of this standard deviation, above 0; its integral over x is 1.
  [[nodiscard]] double at(double x, double width) const {
    detail::require(width > 0, "SpectralDensity.at: width", "above 0", width);
    double sum = 0;
    for (const auto& points : draws) {
      for (const SpectrumPoint& point : points) {
        const double z = (x - point.value) / width;
        sum += point.weight * std::exp(-z * z / 2);
      }
    }
    return sum / (width * std::sqrt(2 * std::numbers::pi) * static_cast<double>(draws.size()));
  }

  /// The mean of f over all eigenvalues; times `size` it is the trace of f(A).
  template <class F>
    requires std::convertible_to<std::invoke_result_t<const F&, double>, double>
  [[nodiscard]] double mean(const F& f) const {
    double sum = 0;
    for (const auto& points : draws) {
      for (const SpectrumPoint& point : points) {
        sum += point.weight * f(point.value);
      }
    }
    return sum / static_cast<double>(draws.size());
  }
};

/// How the density of a spectrum is estimated.
struct DensityOptions {
  Integer draws = 10;      ///< random vectors, at least 1
  Integer steps = 80;      ///< products with the operator a vector, at least 1
  std::uint64_t seed = 0;  ///< random seed of the vectors

  void check() const {
    detail::require(draws >= 1, "DensityOptions.draws", "at least 1", draws);
    detail::require(steps >= 1, "DensityOptions.steps", "at least 1", steps);
  }
};

namespace detail {

/// The points of Gauss' quadrature for the operator's spectrum as seen by one vector (Golub and Meurant 1994): the sum
/// of weight * f(value) is v' f(A) v / v'v, exactly for polynomials f of degree below twice the number of points.
///
/// Lanczos' iteration with three vectors of memory. They lose their orthogonality, and copies of eigenvalues come back,
/// but copies share the weight of the one, so sums over points stay right (Cullum and Willoughby 1985).
template <LinearOperator A>
std::vector<SpectrumPoint> spectrum_seen_by(const A& a, const at::Tensor& vector, std::int64_t steps,
                                            std::int64_t& products) {
  Tridiagonal t;
  at::Tensor now = vector / vector.norm();
  at::Tensor before;
  for (std::int64_t step = 0; step < std::min<std::int64_t>(steps, a.size()); ++step) {
    at::Tensor next = a.apply(now).clone();
    ++products;
    if (before.defined()) {
      next.sub_(before, t.beside.back());
    }
    t.diagonal.push_back(next.dot(now).template item<double>());
    next.sub_(now, t.diagonal.back());
    const double coupling = next.norm().template item<double>();
    if (!std::isfinite(coupling)) {
      return {{unknown, 1}};
    }
    t.beside.push_back(coupling);
    if (coupling <= no_coupling * t.bound()) {
      break;
    }
    before = now;
    now = next / coupling;
  }
  const Tridiagonal::Eigen eigen = t.eigen();
  std::vector<SpectrumPoint> points;
  for (std::size_t i = 0; i < eigen.values.size(); ++i) {
    const double first = eigen.entry(0, i);
    points.push_back({eigen.values[i], first * first});
  }
  return points;
}

}  // namespace detail

/// The density of an operator's eigenvalues by stochastic Lanczos quadrature (Ghorbani, Krishnan and Xiao 2019;
/// Papyan 2019): `draws` random sign vectors with `steps` products each. Takes the memory of three vectors. An operator
/// with few different eigenvalues ends the iteration early, with weights that are exact for the vector.
///     const regimen::SpectralDensity spectrum = regimen::density(regimen::GaussNewton(surface));
///     const double above_one = spectrum.mean([](double eigenvalue) { return eigenvalue > 1 ? 1.0 : 0.0; });
template <LinearOperator A>
[[nodiscard]] SpectralDensity density(const A& a, const DensityOptions& how = {}) {
  how.check();
  SpectralDensity result{.size = a.size()};
  for (std::int64_t draw = 0; draw < how.draws; ++draw) {
    const at::Tensor signs = detail::random_signs(a.size(), how.seed, draw, detail::vector_options(a));
    result.draws.push_back(detail::spectrum_seen_by(a, signs, how.steps, result.products));
  }
  return result;
}

/// The trace of a function of an operator, the sum of f over its eigenvalues, with a confidence interval: each draw is
/// the quadrature of one random vector with `steps` products. f must be smooth between the eigenvalues, on the scale
/// that `steps` resolves: the interval is that of the vectors and does not cover the error of too few steps. `passes`
/// of the result are products.
///     const auto soft_rank = regimen::trace_of([](double x) { return x / (x + 0.1); }, regimen::GaussNewton(surface));
template <class F, LinearOperator A>
  requires std::convertible_to<std::invoke_result_t<const F&, double>, double>
[[nodiscard]] MonteCarloEstimate trace_of(const F& f, const A& a, const Draws& draws = {}, Integer steps = 40) {
  detail::require(steps >= 1, "trace_of: steps", "at least 1", steps);
  std::int64_t products = 0;
  MonteCarloEstimate result = monte_carlo(
      [&](std::int64_t draw) {
        const at::Tensor signs = detail::random_signs(a.size(), draws.seed, draw, detail::vector_options(a));
        double sum = 0;
        for (const SpectrumPoint& point : detail::spectrum_seen_by(a, signs, steps, products)) {
          sum += point.weight * f(point.value);
        }
        return sum * static_cast<double>(a.size());
      },
      draws);
  result.passes = products;
  return result;
}

}  // namespace regimen::inline v0
