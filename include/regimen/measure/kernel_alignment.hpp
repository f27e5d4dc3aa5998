#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/curvature/gram.hpp"
#include "regimen/curvature/linear_operator.hpp"
#include "regimen/curvature/loss_surface.hpp"
#include "regimen/curvature/trace.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/detail/surface_for.hpp"
#include "regimen/model/selector.hpp"
#include "regimen/source/source.hpp"
#include "regimen/statistics/monte_carlo.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// A measure: the alignment of the empirical neural tangent kernel K = J J' to the labels, <K, y y'> / (||K||_F
/// ||y y'||_F) = y'Ky / (||K||_F |y|^2), in [0, 1] (Cristianini et al. 2001; Baratin et al. 2021): how much of the
/// kernel lies in the direction that the labels ask for. If `centred`, of H K H to H y, with H the subtraction of the
/// mean over samples (Cortes, Mohri and Rostamizadeh 2012).
///
/// y has an entry for each sample and output: the class's one-hot vector for labels [N] and outputs [N, C], C at least
/// 2; the target itself where it has as many numbers as the output. A label out of [0, C) counts as none.
///
/// y'Ky takes one product; ||K||_F^2 is exact on the subspace of `sketch` products, and estimated by random signs on
/// the rest; `sketch` of n C or more makes all of it exact, and the measure deterministic. Numbers "value" and
/// "half_width", the larger distance to an end of the interval that follows from that of ||K||_F^2. Costs 2 `sketch`
/// products of 2 F + 3 B, one more, and one a draw; memory of 3 `sketch` + 4 vectors of n C numbers. The noise is a
/// function of (seed, draw), the same for all networks that see the data. The interval of `draws` is that of ||K||_F^2.
///
/// Invariant under scale of the logits as a function, not under rescaling of ReLU layers. NaN where K or y is 0. Throws
/// Error without data, for settings out of range, and for targets that do not fit.
///     scoring.measures["alignment"] = regimen::KernelAlignment{.data = few, .centred = true};
struct KernelAlignment {
  std::optional<Source> data{};  ///< the phase's own by default
  Evaluation how{};
  AnySelector parameters = AllParameters{};
  bool centred = false;
  Integer sketch = 8;  ///< size of the subspace on which ||K||_F is exact, at least 0
  Draws draws{};

  void check() const {
    draws.check();
    detail::require(sketch >= 0, "KernelAlignment.sketch", "at least 0", sketch);
  }

  [[nodiscard]] MonteCarloEstimate estimate(const Probe& probe) const {
    check();
    const LossSurface surface = detail::surface_for(data, how, parameters, probe, "KernelAlignment");
    const Gram kernel(surface, centred);
    const at::Tensor y = labels(surface, kernel.samples());
    const double along = y.dot(kernel.apply(y)).item<double>() / y.square().sum().item<double>();
    // ||K||_F^2 is the trace of K^2.
    const MonteCarloEstimate norm = detail::trace_of_forms(
        kernel, [&](const at::Tensor& v) { return detail::apply_all(kernel, v).square().sum({0}); }, sketch,
        /*block=*/1, draws);  // several products at once would save nothing: each takes its own passes
    const auto alignment = [along](double square) { return along / std::sqrt(square); };
    MonteCarloEstimate result = norm;
    // ||K||_F is at least y'Ky / |y|^2, as alignment is at most 1.
    result.value = alignment(std::max(norm.value, along * along));
    result.half_width = std::max(alignment(std::max(norm.low(), along * along)) - result.value,
                                 result.value - alignment(std::max(norm.high(), along * along)));
    result.passes = norm.passes + 1;
    return result;
  }

  [[nodiscard]] std::vector<std::string> names() const { return {"value", "half_width"}; }
  Numbers operator()(const Probe& probe) const { return detail::value_and_half_width(estimate(probe)); }

 private:
  /// The target as a vector of the kernel's rows, [n C] double, centred if the kernel is.
  [[nodiscard]] at::Tensor labels(const LossSurface& surface, std::int64_t samples) const {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> parts;
    surface.each_output(
        [&](const at::Tensor& output, const Batch& batch) { parts.push_back(beside(output, batch.target)); });
    const at::Tensor y = at::cat(parts).view({samples, -1});
    return (centred ? y - y.mean({0}, /*keepdim=*/true) : y).flatten();
  }

  static at::Tensor beside(const at::Tensor& output, const at::Tensor& target) {
    if (target.defined() && target.numel() == output.numel()) {
      return target.to(at::kDouble).flatten();
    }
    const bool are_labels = target.defined() && !target.is_floating_point() && target.dim() == 1 && output.dim() == 2 &&
                            target.size(0) == output.size(0);
    if (!are_labels) {
      throw Error(
          "KernelAlignment takes labels [N] for outputs [N, C], or a target with as many numbers as the output, "
          "but the output is " +
          detail::described(output) + " and the target " + detail::described(target));
    }
    const at::Tensor classes = at::arange(output.size(1), target.options().dtype(at::kLong));
    return target.unsqueeze(1).eq(classes).to(at::kDouble).flatten();
  }
};

}  // namespace regimen::inline v0
