#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/curvature/loss_surface.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/detail/signed_gradients.hpp"
#include "regimen/measure/detail/surface_for.hpp"
#include "regimen/model/selector.hpp"
#include "regimen/source/source.hpp"
#include "regimen/statistics/monte_carlo.hpp"
#include "regimen/tensor/doubles.hpp"

namespace regimen::inline v0 {

/// The gradient and its noise, of samples from the distribution that the data come from: G the mean gradient, S the
/// covariance of single samples' gradients.
struct GradientNoiseParts {
  double variance;          ///< unbiased estimate of tr S
  double squared_gradient;  ///< unbiased estimate of |G|^2; may come out negative

  /// tr S / |G|^2: the batch size at which noise and gradient are of one size (McCandlish et al. 2018, eq. 2.9).
  /// Infinite where the estimate of |G|^2 is not positive: the data do not tell the gradient from 0.
  [[nodiscard]] double scale() const {
    return squared_gradient > 0 ? variance / squared_gradient : std::numeric_limits<double>::infinity();
  }
};

/// The gradient and its noise from mean squared norms of the gradients of small and of big batches (McCandlish et al.
/// 2018, appendix A.1): tr S = (small_squared - big_squared) / (1/small - 1/big), |G|^2 = (big big_squared - small
/// small_squared) / (big - small). Unbiased; take means over many steps before taking the ratio. `small` and `big` are
/// numbers of samples, 0 < small < big. Throws Error otherwise.
[[nodiscard]] inline GradientNoiseParts noise_from_two_batches(double small_squared, double small, double big_squared,
                                                               double big) {
  detail::require(small > 0, "noise_from_two_batches: small", "above 0", small);
  detail::require(big > small, "noise_from_two_batches: big", "above small = " + detail::text(small), big);
  return {.variance = (small_squared - big_squared) / (1 / small - 1 / big),
          .squared_gradient = (big * big_squared - small * small_squared) / (big - small)};
}

/// A measure: the gradient noise scale tr S / |G|^2 (McCandlish et al. 2018, 1812.06162) and the gradients' coherence,
/// with g_i the n samples' gradients and g their mean. For a loss that weighs samples, as by class weights or ignored
/// labels, g is the gradient of the weighted mean, and a_i (g_i - g) stands for g_i - g, a_i the weight over the mean
/// weight: the noise of g to first order. Numbers:
///     variance, variance_half_width   tr S = sum |g_i - g|^2 / (n - 1), unbiased, with its confidence interval
///     squared_gradient                |G|^2 = |g|^2 - tr S / n, unbiased; may come out negative
///     scale, scale_low, scale_high    tr S / |G|^2; infinite where |G|^2 does not come out positive
///     plug_in                         the biased ratio of mean |g_i - g|^2 and |g|^2
///     coherence                       |g|^2 / mean |g_i|^2, in [0, 1]: 1 if all gradients agree, 1/n if orthogonal
///
/// g is exact. sum |g_i - g|^2 is estimated by the squared norms of sum r_i (g_i - g), r_i random signs, so that no
/// gradients of single samples are needed and no difference of large numbers is taken. All numbers are monotone in tr
/// S, so the ends of its interval are those of the scale: they are about the random signs, not about other samples.
///
/// Costs 1.25 (F + B) and F/4 + B a draw. Takes losses with `each`. The signs are a function of
/// (seed, draw, sample id), so ids must differ. Invariant under scale of the loss, apart from `variance` and
/// `squared_gradient`; not under rescaling of ReLU layers nor scale of the logits. Throws Error without data or for
/// fewer than 2 samples.
///     scoring.measures["noise"] = regimen::GradientNoiseScale{.data = train};
struct GradientNoiseScale {
  std::optional<Source> data{};  ///< the phase's own by default
  Evaluation how{};
  AnySelector parameters = AllParameters{};
  Draws draws{};

  void check() const { draws.check(); }

  /// tr S with its interval.
  [[nodiscard]] MonteCarloEstimate estimate(const Probe& probe) const { return estimates(probe).variance; }

  [[nodiscard]] std::vector<std::string> names() const {
    return {"variance",  "variance_half_width", "squared_gradient", "scale",
            "scale_low", "scale_high",          "plug_in",          "coherence"};
  }

  Numbers operator()(const Probe& probe) const {
    const Estimates found = estimates(probe);
    const auto with = [&found](double variance) {
      return GradientNoiseParts{.variance = variance, .squared_gradient = found.squared_mean - variance / found.n};
    };
    const double variance = found.variance.value;
    const double within = variance * (found.n - 1) / found.n;  // mean |g_i - g|^2
    return {{"variance", variance},
            {"variance_half_width", found.variance.half_width},
            {"squared_gradient", with(variance).squared_gradient},
            {"scale", with(variance).scale()},
            {"scale_low", with(std::max(found.variance.low(), 0.0)).scale()},
            {"scale_high", with(found.variance.high()).scale()},
            {"plug_in", within / found.squared_mean},
            {"coherence", found.squared_mean / (found.squared_mean + within)}};
  }

 private:
  struct Estimates {
    MonteCarloEstimate variance;  ///< tr S
    double squared_mean;          ///< |g|^2
    double n;                     ///< number of samples
  };

  [[nodiscard]] Estimates estimates(const Probe& probe) const {
    check();
    const LossSurface surface = detail::surface_for(data, how, parameters, probe, "GradientNoiseScale");
    std::int64_t samples = 0;
    double weight = 0;
    const at::Tensor sum = surface.weighted_gradient([&](const Batch& batch) {
      samples += batch.size();
      const at::Tensor weights = surface.sample_weights(batch);
      weight += weights.sum().item<double>();
      return weights;
    });
    detail::require(samples >= 2, "GradientNoiseScale: the number of samples", "at least 2", samples);
    const auto n = static_cast<double>(samples);
    const at::Tensor mean = sum / weight;
    const auto draws_from = [&](std::int64_t first, std::int64_t count) {
      return detail::doubles_of(squares(surface, mean, n / weight, first, count) / (n - 1));
    };
    return {.variance = monte_carlo_in_blocks(draws_from, detail::draws_a_pass, draws),
            .squared_mean = mean.square().sum().item<double>(),
            .n = n};
  }

  /// |sum r_i a_i (g_i - mean)|^2 for several draws of signs r, [count]; a_i the samples' weights times `scale`.
  [[nodiscard]] at::Tensor squares(const LossSurface& surface, const at::Tensor& mean, double scale, std::int64_t first,
                                   std::int64_t count) const {
    std::vector<at::Tensor> totals(static_cast<std::size_t>(count));  // sums of r_i a_i, on the device
    const at::Tensor sums =
        detail::drawn_gradients(
            surface,
            [&](const at::Tensor& output, const Batch& batch) {
              detail::WeightedNumbers losses = detail::signed_losses(
                  surface, output, batch, draws.seed, [scale](const at::Tensor& w) { return w * scale; });
              losses.weights = [&totals, first, signs_of = std::move(losses.weights)](std::int64_t draw) {
                const at::Tensor signs = signs_of(draw);
                at::Tensor& total = totals[static_cast<std::size_t>(draw - first)];
                total = total.defined() ? total + signs.sum() : signs.sum();
                return signs;
              };
              return losses;
            },
            first, count)
            .sums;
    if (!totals.front().defined()) {
      return sums.square().sum({1});  // no loss depends on the weights
    }
    return (sums - at::stack(totals).unsqueeze(1) * mean).square().sum({1});
  }
};

}  // namespace regimen::inline v0
