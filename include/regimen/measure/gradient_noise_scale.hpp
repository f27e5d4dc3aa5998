#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
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
/// with g_i the n samples' gradients and g their mean. Numbers:
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
/// Costs 1.25 (F + B) and F/4 + B a draw. Takes losses with `each`; samples count equally. The signs are a function of
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

  /// tr S with its interval; `squared_mean` is set to |g|^2 and `samples` to n where given.
  [[nodiscard]] MonteCarloEstimate estimate(const Probe& probe, double* squared_mean = nullptr,
                                            std::int64_t* samples = nullptr) const {
    check();
    const LossSurface surface = detail::surface_for(data, how, parameters, probe, "GradientNoiseScale");
    std::int64_t n = 0;
    const at::Tensor sum = surface.weighted_gradient([&n](const Batch& batch) {
      n += batch.size();
      return at::ones({batch.size()}, batch.id.options().dtype(at::kDouble));
    });
    detail::require(n >= 2, "GradientNoiseScale: the number of samples", "at least 2", n);
    const at::Tensor mean = sum / static_cast<double>(n);
    if (squared_mean != nullptr) {
      *squared_mean = mean.square().sum().item<double>();
    }
    if (samples != nullptr) {
      *samples = n;
    }
    return detail::monte_carlo_in_blocks(
        [&](std::int64_t first, std::int64_t count) {
          return squares(surface, mean, first, count) / static_cast<double>(n - 1);
        },
        draws);
  }

  [[nodiscard]] std::vector<std::string> names() const {
    return {"variance",  "variance_half_width", "squared_gradient", "scale",
            "scale_low", "scale_high",          "plug_in",          "coherence"};
  }

  Numbers operator()(const Probe& probe) const {
    double squared_mean = 0;
    std::int64_t samples = 0;
    const MonteCarloEstimate variance = estimate(probe, &squared_mean, &samples);
    const auto n = static_cast<double>(samples);
    const auto with = [&](double is) {
      return GradientNoiseParts{.variance = is, .squared_gradient = squared_mean - is / n};
    };
    const double within = variance.value * (n - 1) / n;  // mean |g_i - g|^2
    return {{"variance", variance.value},
            {"variance_half_width", variance.half_width},
            {"squared_gradient", with(variance.value).squared_gradient},
            {"scale", with(variance.value).scale()},
            {"scale_low", with(std::max(variance.low(), 0.0)).scale()},
            {"scale_high", with(variance.high()).scale()},
            {"plug_in", within / squared_mean},
            {"coherence", squared_mean / (squared_mean + within)}};
  }

 private:
  /// |sum r_i (g_i - mean)|^2 for several draws of signs r, [count].
  [[nodiscard]] at::Tensor squares(const LossSurface& surface, const at::Tensor& mean, std::int64_t first,
                                   std::int64_t count) const {
    std::vector<at::Tensor> totals(static_cast<std::size_t>(count));  // sums of signs, on the device
    const at::Tensor sums = detail::gradients_of_sums(
        surface,
        [&](const at::Tensor& output, const Batch& batch) {
          return detail::WeightedNumbers{
              surface.how().loss.each(output, batch.target), [&, ids = batch.id](std::int64_t draw) {
                const at::Tensor signs = detail::sample_signs(ids, draws.seed, draw, 1).select(1, 0);
                at::Tensor& total = totals[static_cast<std::size_t>(draw - first)];
                total = total.defined() ? total + signs.sum() : signs.sum();
                return signs;
              }};
        },
        first, count);
    if (!totals.front().defined()) {
      return sums.square().sum({1});  // no loss depends on the weights
    }
    return (sums - at::stack(totals).unsqueeze(1) * mean).square().sum({1});
  }
};

}  // namespace regimen::inline v0
