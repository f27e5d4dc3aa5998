#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/softmax.h>

#include <cmath>
#include <cstdint>
#include <tuple>

#include "regimen/base/error.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/evaluate/outputs.hpp"
#include "regimen/model/model.hpp"
#include "regimen/record/history.hpp"
#include "regimen/source/source.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// The mean over samples of the largest probability of a classifier whose logits are divided by a temperature.
/// logits [N, C, ...], temperature above 0. Falls from 1 to 1/C as the temperature grows.
[[nodiscard]] inline double mean_confidence(const at::Tensor& logits, double temperature = 1) {
  detail::require(temperature > 0, "mean_confidence: temperature", "above 0", temperature);
  if (!logits.defined() || logits.dim() < 2) {
    throw Error("mean_confidence takes logits of [N, C, ...], but they are " + detail::described(logits));
  }
  const at::Tensor p = (logits.to(at::kDouble) / temperature).softmax(1);
  return std::get<0>(p.max(1)).mean().item<double>();
}

/// The temperature T at which a classifier with logits z / T is as confident as given: the mean over samples of the
/// largest probability is `confidence`, in (1/C, 1). Measures of networks that fit their data shrink as logits grow,
/// although no prediction changes; at a matched temperature they can be compared.
///
/// By bisection in the logarithm of T, to a relative 1e-12. Costs one forward pass and the memory of all outputs,
/// n C doubles. NaN for logits that are not finite. Throws Error where no temperature gives this confidence: all logits
/// of a sample are equal.
///     const double t = regimen::matched_temperature(net, train, 0.9, {.preprocess = {normalize}});
[[nodiscard]] inline double matched_temperature(const at::Tensor& logits, double confidence) {
  if (!logits.defined() || logits.dim() < 2) {
    throw Error("matched_temperature takes logits of [N, C, ...], but they are " + detail::described(logits));
  }
  const double least = 1 / static_cast<double>(logits.size(1));
  detail::require(confidence > least && confidence < 1, "matched_temperature: confidence",
                  "in (1 / classes = " + detail::text(least) + ", 1)", confidence);
  const at::Tensor z = logits.to(at::kDouble);
  if (!z.isfinite().all().item<bool>()) {
    return unknown;
  }
  const double size = (std::get<0>(z.max(1)) - z.mean({1})).abs().max().item<double>();
  double low = std::log(size) - 20;
  double high = std::log(size) + 20;
  if (!(size > 0) || !std::isfinite(size) || !(mean_confidence(z, std::exp(low)) >= confidence) ||
      !(mean_confidence(z, std::exp(high)) <= confidence)) {
    throw Error("matched_temperature: no temperature gives these logits, " + detail::described(logits) +
                ", a mean confidence of " + detail::text(confidence));
  }
  while (high - low > 1e-12) {
    const double middle = (low + high) / 2;
    (mean_confidence(z, std::exp(middle)) >= confidence ? low : high) = middle;
  }
  return std::exp((low + high) / 2);
}
[[nodiscard]] inline double matched_temperature(const Model& model, const Source& data, double confidence,
                                                const Evaluation& how = {}) {
  return matched_temperature(outputs(model, data, how).output, confidence);
}

}  // namespace regimen::inline v0
