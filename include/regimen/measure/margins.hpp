#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/evaluate/walk.hpp"
#include "regimen/loss/predicted.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/data_for.hpp"
#include "regimen/model/model.hpp"
#include "regimen/record/history.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

namespace detail {

/// The margins of labels [N] int64; NaN for a label out of [0, C). Does not wait for the device.
inline at::Tensor margins_of_labels(const at::Tensor& logits, const at::Tensor& labels) {
  const at::Tensor label = labels.clamp(0, logits.size(1) - 1).unsqueeze(1);
  const at::Tensor z = logits.to(at::kDouble);
  const at::Tensor others = z.scatter(1, label, -std::numeric_limits<double>::infinity()).amax(1);
  return (z.gather(1, label).squeeze(1) - others)
      .masked_fill(are_no_class(labels, logits.size(1)), std::numeric_limits<double>::quiet_NaN());
}

}  // namespace detail

/// The margin of each sample: its label's logit minus the largest other logit, z_y - max over c != y of z_c; positive
/// if the label is predicted. logits [N, C]; targets [N] int64 in [0, C), or [N, C], whose largest entry is the label
/// -> [N] double. Throws Error for other shapes, and for labels out of [0, C).
[[nodiscard]] inline at::Tensor margins(const at::Tensor& logits, const at::Tensor& targets) {
  const at::Tensor label = detail::labels_for(logits, targets, "margins");
  detail::require_classes(label, logits.size(1), "margins");
  return detail::margins_of_labels(logits, label);
}

/// The margins of a network on a source, [n] double on the model's device, in the source's order. Costs one forward
/// pass in eval mode without gradients; keeps the logits of one batch at a time. Throws Error for a source that is
/// empty, endless or has no labels in [0, C).
///     const at::Tensor each = regimen::margins(net, train);
[[nodiscard]] inline at::Tensor margins(const Model& model, const Source& data, const Evaluation& how = {}) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> each;
  detail::walk(model, data, how, "margins",
               [&](const Batch& batch) { each.push_back(margins(how.execute.forward(model, batch), batch.target)); });
  return at::cat(each);
}

/// A percentile by nearest rank: of n numbers in ascending order the one at place ceil(n * percent / 100), counted from
/// 1; so 100 is the largest, and 50 the lower one of two in the middle (`median` takes their mean). numbers [n], n >=
/// 1; percent in (0, 100]. NaN if one of the numbers is.
[[nodiscard]] inline double percentile(const at::Tensor& numbers, double percent) {
  detail::require(percent > 0 && percent <= 100, "percentile: percent", "in (0, 100]", percent);
  detail::require(numbers.numel() >= 1, "percentile: numbers", "at least one", numbers.numel());
  const at::Tensor flat = numbers.detach().flatten().to(at::kDouble);
  if (flat.isnan().any().item<bool>()) {
    return unknown;
  }
  // Without the small number, 7.000000000000001 of rounding would be place 8.
  const double place = std::ceil(static_cast<double>(flat.numel()) * percent / 100 - 1e-9);
  const auto index = std::clamp<std::int64_t>(static_cast<std::int64_t>(place), 1, flat.numel()) - 1;
  return std::get<0>(flat.sort()).select(0, index).item<double>();
}

/// A percentile of the margins of the samples, by nearest rank, signed: negative if at least `percent` of 100 samples
/// are wrong. The 10th percentile stands for the smallest margin in comparisons of networks, since a few samples decide
/// the smallest itself (Jiang et al. 2020, "Fantastic Generalization Measures and Where to Find Them", arXiv
/// 1912.02178).
///
/// percent in (0, 100]. Costs one forward pass; 8 bytes of memory a sample. Deterministic. A function of the logits, so
/// ReLU rescaling does not change it; it grows with the scale of the logits (see `MarginOverSpectralProduct`). No
/// gradient. NaN for a network that outputs NaN. Throws Error for data without labels in [0, C).
///     regimen::MarginPercentile{.data = train}(net)
struct MarginPercentile {
  std::optional<Source> data{};
  Evaluation how{};
  double percent = 10;

  void check() const {
    detail::require(percent > 0 && percent <= 100, "MarginPercentile.percent", "in (0, 100]", percent);
  }

  double operator()(const Probe& probe) const {
    check();
    const Source source = detail::data_for(data, probe, "MarginPercentile");
    return percentile(margins(probe.model, source, detail::filled_in(how, probe.how)), percent);
  }
};

}  // namespace regimen::inline v0
