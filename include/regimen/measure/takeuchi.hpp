#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/curvature/density.hpp"
#include "regimen/curvature/loss_surface.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/curvature_choice.hpp"
#include "regimen/measure/detail/damping.hpp"
#include "regimen/measure/detail/signed_gradients.hpp"
#include "regimen/measure/detail/surface_for.hpp"
#include "regimen/model/selector.hpp"
#include "regimen/source/source.hpp"
#include "regimen/statistics/monte_carlo.hpp"

namespace regimen::inline v0 {

/// A measure: the trace of Takeuchi's information criterion, tr((H + lambda I)^-1 C), with H a curvature matrix and C
/// the second moment of the samples' gradients, mean a_i^2 g_i g_i', a_i = 1 or, for a loss that weighs samples, as by
/// class weights or ignored labels, the weight over the mean weight (Takeuchi 1976; Thomas et al. 2020, 1906.07774).
/// Over the number of samples it estimates how much larger the test loss is than the training loss at a minimum. NaN
/// if lambda is relative and H has no positive eigenvalue.
///
/// `lambda` above 0 is a part of the largest eigenvalue of H, or if not `relative` a number on H's own scale. Negative
/// eigenvalues, which only a Hessian has, count as 0.
///
/// Signed sums g = sum r_i a_i g_i / sqrt(n) have the second moment C, so the mean of g'(H + lambda I)^-1 g is the
/// trace; each is the quadrature of Lanczos' iteration from g (Golub and Meurant 1994). Numbers "value" and
/// "half_width". Costs `steps` products of F + 3 B and F/4 + B a draw, and 6 to 30 products for the largest eigenvalue.
/// Takes losses with `each`. The interval is that of the draws: it does not cover the error of too few `steps`. The
/// signs are a function of (seed, draw, sample id), so ids must differ.
///
/// Not invariant under rescaling of ReLU layers, since lambda is not, nor under scale of the logits. Throws Error
/// without data and for settings out of range.
///     scoring.measures["tic"] = regimen::TakeuchiTrace{.data = train, .lambda = 0.001};
struct TakeuchiTrace {
  std::optional<Source> data{};  ///< the phase's own by default
  Evaluation how{};
  AnySelector parameters = AllParameters{};
  Curvature curvature = Curvature::gauss_newton;
  double lambda = 0.01;  ///< above 0
  bool relative = true;  ///< whether lambda is a part of the largest eigenvalue
  Integer steps = 40;    ///< products with the operator a draw, at least 1
  Draws draws{};

  void check() const {
    draws.check();
    detail::require(lambda > 0, "TakeuchiTrace.lambda", "above 0", lambda);
    detail::require(steps >= 1, "TakeuchiTrace.steps", "at least 1", steps);
  }

  /// `passes` of the result are products with the curvature matrix.
  [[nodiscard]] MonteCarloEstimate estimate(const Probe& probe) const {
    check();
    const LossSurface surface = detail::surface_for(data, how, parameters, probe, "TakeuchiTrace");
    return with_curvature(curvature, surface, [&](const auto& a) {
      std::int64_t products = 0;
      const detail::Damping damping = detail::damping_of(a, lambda, relative, draws.seed, products);
      if (!(damping.added > 0)) {
        return MonteCarloEstimate{.passes = products};
      }
      at::Tensor block;  // signed sums of gradients, a row a draw
      std::int64_t begin = 0;
      MonteCarloEstimate result = monte_carlo(
          [&](std::int64_t draw) {
            if (!block.defined() || draw >= begin + block.size(0)) {
              begin = draw;
              block = signed_sums(surface, draw, std::min<std::int64_t>(detail::draws_a_pass, draws.most - draw));
            }
            return form(a, block.select(0, draw - begin), damping.added, products);
          },
          draws);
      result.passes = products;
      result.converged = result.converged && damping.found;
      return result;
    });
  }

  [[nodiscard]] std::vector<std::string> names() const { return {"value", "half_width"}; }
  Numbers operator()(const Probe& probe) const { return detail::value_and_half_width(estimate(probe)); }

 private:
  /// sum r_i a_i g_i / sqrt(n) for several draws of signs r, [count, size()].
  [[nodiscard]] at::Tensor signed_sums(const LossSurface& surface, std::int64_t first, std::int64_t count) const {
    std::int64_t samples = 0;
    const detail::DrawnGradients drawn = detail::drawn_gradients(
        surface,
        [&](const at::Tensor& output, const Batch& batch) {
          samples += batch.size();
          return detail::signed_losses(surface, output, batch, draws.seed, [](const at::Tensor& w) { return w; });
        },
        first, count);
    return drawn.sums * (std::sqrt(static_cast<double>(samples)) / drawn.count);
  }

  /// g'(A + added I)^-1 g.
  template <LinearOperator A>
  [[nodiscard]] double form(const A& a, const at::Tensor& g, double added, std::int64_t& products) const {
    const double square = g.square().sum().item<double>();
    if (square == 0) {
      return 0;
    }
    double sum = 0;
    for (const SpectrumPoint& point : detail::spectrum_seen_by(a, g, steps, products)) {
      sum += point.weight / (std::max(point.value, 0.0) + added);
    }
    return square * sum;
  }
};

}  // namespace regimen::inline v0
