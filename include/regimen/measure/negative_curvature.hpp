#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/curvature/density.hpp"
#include "regimen/curvature/hessian.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/detail/surface_for.hpp"
#include "regimen/model/selector.hpp"
#include "regimen/source/source.hpp"
#include "regimen/statistics/interval.hpp"
#include "regimen/statistics/jackknife.hpp"
#include "regimen/statistics/monte_carlo.hpp"

namespace regimen::inline v0 {

/// A measure: the share of the Hessian's curvature that is negative, the sum of |h| over its negative eigenvalues h
/// over that over all of them, in [0, 1]; 0 at a minimum where all directions count, NaN for a Hessian of 0.
///
/// From the spectral density by Lanczos quadrature (Ghorbani, Krishnan and Xiao 2019), `density.steps` products of
/// F + 3 B for each of `density.draws` random vectors. Numbers "value" and "half_width", the ratio of the draws' means
/// and its interval by the jackknife over draws (Quenouille 1956), Student's t. The noise is a function of (seed,
/// draw), the same for all networks of one size. Invariant under scale of the loss; not under rescaling of ReLU layers,
/// nor scale of the logits. Throws Error without data and for settings out of range.
///     scoring.measures["negative"] = regimen::NegativeCurvature{.data = train};
struct NegativeCurvature {
  std::optional<Source> data{};  ///< the phase's own by default
  Evaluation how{};
  AnySelector parameters = AllParameters{};
  DensityOptions density{};  ///< draws at least 2
  double level = 0.95;       ///< confidence level, in (0, 1)

  void check() const {
    density.check();
    detail::require(density.draws >= 2, "NegativeCurvature.density.draws", "at least 2", density.draws);
    detail::require(level > 0 && level < 1, "NegativeCurvature.level", "in (0, 1)", level);
  }

  /// `passes` of the result are products with the Hessian.
  [[nodiscard]] MonteCarloEstimate estimate(const Probe& probe) const {
    check();
    const Hessian hessian(detail::surface_for(data, how, parameters, probe, "NegativeCurvature"));
    const SpectralDensity spectrum = regimen::density(hessian, density);
    std::vector<double> negative;  // for each random vector
    std::vector<double> all;
    double negative_sum = 0;
    double sum = 0;
    for (const std::vector<SpectrumPoint>& points : spectrum.draws) {
      negative.push_back(0);
      all.push_back(0);
      for (const SpectrumPoint& point : points) {
        negative.back() += point.weight * std::max(-point.value, 0.0);
        all.back() += point.weight * std::abs(point.value);
      }
      negative_sum += negative.back();
      sum += all.back();
    }
    std::vector<double> without;  // the ratio without one of the vectors
    for (std::size_t i = 0; i < all.size(); ++i) {
      without.push_back((negative_sum - negative[i]) / (sum - all[i]));
    }
    const Interval share = jackknife_interval(negative_sum / sum, without, level);
    return {.value = share.mean,
            .half_width = share.half_width,
            .draws = density.draws,
            .passes = spectrum.products,
            .converged = std::isfinite(negative_sum)};
  }

  [[nodiscard]] std::vector<std::string> names() const { return {"value", "half_width"}; }
  Numbers operator()(const Probe& probe) const { return detail::value_and_half_width(estimate(probe)); }
};

}  // namespace regimen::inline v0
