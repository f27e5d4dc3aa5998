#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/curvature/loss_surface.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/detail/surface_for.hpp"
#include "regimen/measure/detail/weight_noise.hpp"
#include "regimen/model/selector.hpp"
#include "regimen/source/source.hpp"
#include "regimen/statistics/monte_carlo.hpp"

namespace regimen::inline v0 {

/// A measure: the average-case sharpness, by how much the mean loss grows on average under normal noise on the weights,
/// E L(w + sigma e) - L(w) with e ~ N(0, I), with the half width of its confidence interval (Neyshabur, Bhojanapalli,
/// McAllester and Srebro 2017; Andriushchenko et al. 2023). With `adaptive` the noise of a weight
/// has the standard deviation sigma |w|, so that weights of 0 stay, and the measure does not change when a ReLU unit's
/// incoming weights grow and its outgoing ones shrink by one factor.
///
/// One draw is the mean of the loss at w + sigma e and at w - sigma e: slopes cancel, and what is left is curvature.
/// The network is in eval mode, BatchNorm's running statistics stay, and its gain and shift get noise as any trained
/// parameter does. Frozen parameters get none. Negative where the network is not at a minimum. The logits' scale
/// matters. The noise is a function of (draws.seed, draw): all networks that are compared get the same. NaN, without an
/// interval, if L(w) or a draw is not finite.
///
/// Costs 1 + 2 * draws forward passes, which `estimate` gives as `passes`, and the memory of a few copies of the
/// weights.
/// Throws Error for data without samples or end, if no parameter is selected, and unless sigma > 0 and finite.
///     scoring.measures["flat"] = regimen::AverageSharpness{.data = train, .sigma = 0.1, .adaptive = true};
struct AverageSharpness {
  std::optional<Source> data{};  ///< the phase's data by default
  Evaluation how{};              ///< settings left at their defaults are the phase's
  AnySelector parameters = AllParameters{};
  double sigma = 0.01;    ///< standard deviation of the noise; with `adaptive` over |w|
  bool adaptive = false;  ///< noise in proportion to each weight
  Draws draws{};          ///< a draw is a pair of noises, e and -e

  void check() const {
    detail::require(sigma > 0 && std::isfinite(sigma), "AverageSharpness.sigma", "above 0 and finite", sigma);
    draws.check();
  }

  [[nodiscard]] std::vector<std::string> names() const { return {"value", "half_width"}; }

  Numbers operator()(const Probe& probe) const { return detail::value_and_half_width(estimate(probe)); }

  [[nodiscard]] MonteCarloEstimate estimate(const Probe& probe) const {
    check();
    const LossSurface surface = detail::surface_for(data, how, parameters, probe, "AverageSharpness");
    const double here = surface.loss();
    if (!std::isfinite(here)) {
      return {.passes = 1};
    }
    const at::Tensor scale = adaptive ? surface.weights().abs() * sigma : at::Tensor();
    const auto draw = [&](std::int64_t number) {
      const at::Tensor noise = detail::normal_weights(surface, draws.seed, number);
      const at::Tensor by = adaptive ? noise * scale : noise * sigma;
      return (surface.loss_at(by) + surface.loss_at(-by)) / 2 - here;
    };
    MonteCarloEstimate found = monte_carlo(draw, draws);
    found.passes = 1 + 2 * found.draws;
    return found;
  }
};

}  // namespace regimen::inline v0
