#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "regimen/batch/batch.hpp"
#include "regimen/curvature/gram.hpp"
#include "regimen/curvature/loss_surface.hpp"
#include "regimen/curvature/top.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/detail/eigenvalue_numbers.hpp"
#include "regimen/measure/detail/signed_gradients.hpp"
#include "regimen/measure/detail/surface_for.hpp"
#include "regimen/model/selector.hpp"
#include "regimen/source/source.hpp"
#include "regimen/statistics/monte_carlo.hpp"
#include "regimen/tensor/doubles.hpp"

namespace regimen::inline v0 {

/// A measure: the trace of the empirical neural tangent kernel K = J J' (Jacot, Gabriel and Hongler 2018): the sum,
/// over all samples and outputs, of the squared norm of the output's gradient by the weights. A sum, not a mean: it
/// grows with the number of samples.
///
/// Unbiased from ||J' r||^2 with random signs r. Numbers "value" and "half_width". Costs B a draw and F for four draws,
/// where a kernel in memory takes n C backward passes. No loss and no label is looked at. The signs are a function of
/// (seed, draw, sample id), so ids must differ. Not invariant under rescaling of ReLU layers, nor under scale of the
/// logits. Throws Error without data and for settings out of range.
///     scoring.measures["kernel_trace"] = regimen::TangentKernelTrace{.data = regimen::limit(train, 1000)};
struct TangentKernelTrace {
  std::optional<Source> data{};  ///< the phase's own by default
  Evaluation how{};
  AnySelector parameters = AllParameters{};
  Draws draws{};

  void check() const { draws.check(); }

  [[nodiscard]] MonteCarloEstimate estimate(const Probe& probe) const {
    check();
    const LossSurface surface = detail::surface_for(data, how, parameters, probe, "TangentKernelTrace");
    const auto numbers_of = [this](const at::Tensor& output, const Batch& batch) {
      return detail::WeightedNumbers{output, [this, output, ids = batch.id](std::int64_t draw) {
                                       const std::int64_t each = output.numel() / output.size(0);
                                       return detail::sample_signs(ids, draws.seed, draw, each).view(output.sizes());
                                     }};
    };
    return monte_carlo_in_blocks(
        [&](std::int64_t first, std::int64_t count) {
          return detail::doubles_of(detail::drawn_gradients(surface, numbers_of, first, count).sums.square().sum({1}));
        },
        detail::draws_a_pass, draws);
  }

  [[nodiscard]] std::vector<std::string> names() const { return {"value", "half_width"}; }
  Numbers operator()(const Probe& probe) const { return detail::value_and_half_width(estimate(probe)); }
};

/// A measure: the largest eigenvalues of the empirical neural tangent kernel K = J J' [n C, n C], or if `centred` of
/// H K H with H the subtraction of the mean over samples. Numbers "largest", "largest_2", ... and "residual".
///
/// Costs 6 to 30 products of 2 F + 3 B, and a vector of n C numbers each. Deterministic: `top.seed` sets the first
/// vector alone. Not invariant under rescaling of ReLU layers, nor under scale of the logits; their ratios are
/// invariant under the latter as a function. Throws Error without data and for settings out of range.
///     scoring.measures["kernel"] = regimen::TangentKernelTop{.data = few, .top = {.largest = 10}};
struct TangentKernelTop {
  std::optional<Source> data{};  ///< the phase's own by default
  Evaluation how{};
  AnySelector parameters = AllParameters{};
  bool centred = false;
  TopOptions top{};

  void check() const { top.check(); }

  [[nodiscard]] SpectrumEnds ends(const Probe& probe) const {
    check();
    return regimen::top(Gram(detail::surface_for(data, how, parameters, probe, "TangentKernelTop"), centred), top);
  }

  [[nodiscard]] std::vector<std::string> names() const { return detail::eigenvalue_names(top); }
  Numbers operator()(const Probe& probe) const { return detail::eigenvalue_numbers(ends(probe), top); }
};

}  // namespace regimen::inline v0
