#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include <cstdint>
#include <string>
#include <utility>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/curvature/loss_surface.hpp"
#include "regimen/loss/concept.hpp"
#include "regimen/tensor/described.hpp"

/// Losses of logits whose scale is taken out. At a perfect fit the cross entropy and all its derivatives go to 0 as the
/// logits grow, so a network looks flatter the longer it is trained.
namespace regimen::inline v0::detail {

/// The l2 norms of logits [N, C, ...] over their classes, [N, 1, ...]. Throws Error, in the name of `who`, for outputs
/// of another shape.
inline at::Tensor logit_norms(const at::Tensor& output, const std::string& who) {
  if (output.dim() < 2 || output.size(1) < 2) {
    throw Error(who + " takes logits of [N, C, ...], C at least 2, but the output is " + described(output));
  }
  return output.square().sum(1, /*keepdim=*/true).clamp_min(1e-24).sqrt();
}

/// A loss of scaled logits: multiplied by `scale`, or, if that is 0, each logit vector divided by its own norm. Counts:
/// whether the loss has a count of its own.
template <bool Counts>
struct ScaledLogits {
  AnyLoss loss{};
  double scale = 0;
  std::string who{};

  at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    return loss(scaled(output), target);
  }
  at::Tensor each(const at::Tensor& output, const at::Tensor& target) const {
    return loss.each(scaled(output), target);
  }
  [[nodiscard]] bool sums() const { return loss.sums(); }
  LossCount count(const at::Tensor& target) const
    requires Counts
  {
    return loss.count(target, target.size(0));
  }

 private:
  [[nodiscard]] at::Tensor scaled(const at::Tensor& output) const {
    return scale == 0 ? output / logit_norms(output, who) : output * scale;
  }
};

/// A loss of logits multiplied by `scale`, or, if that is 0, divided by their norms.
inline AnyLoss of_scaled_logits(const AnyLoss& loss, double scale, const std::string& who) {
  return loss.counts() ? AnyLoss(ScaledLogits<true>{loss, scale, who}) : AnyLoss(ScaledLogits<false>{loss, scale, who});
}

/// The mean norm of a network's logits over all samples, and positions. Costs a forward pass.
inline double mean_logit_norm(const LossSurface& surface, const std::string& who) {
  const at::NoGradGuard no_grad;
  at::Tensor sum = at::zeros({}, surface.vector_options());
  std::int64_t number = 0;
  surface.each_output([&](const at::Tensor& output, const Batch&) {
    const at::Tensor norms = logit_norms(output.to(at::kDouble), who);
    sum.add_(norms.sum());
    number += norms.numel();
  });
  return sum.item<double>() / static_cast<double>(number);
}

}  // namespace regimen::inline v0::detail
