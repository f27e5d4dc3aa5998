#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include "regimen/loss/concept.hpp"
#include "regimen/loss/member_samples.hpp"
#include "regimen/tensor/sum_of_finite.hpp"

namespace regimen::inline v0 {

/// `OverMembers` for networks in one module that learn from data of their own: targets are [N, members, ...], as
/// `stacked` gives them, and the loss is the sum over the members of each one's mean loss on its own targets. An
/// entry's accuracy is the mean over the members that judge it.
///
/// A member whose loss is not finite is left out of the sum, as by `OverMembers`. Gradients go through the loss's
/// `each` where it has one. With ignored or weighted samples each member's mean is over what counts for that member:
/// such means cannot be put together from parts of a batch, so neither accumulate nor share among processes then.
///     phase.data = regimen::stacked({noisy_a, noisy_b}, {1, 2});
///     phase.loss = regimen::OverOwnTargets{regimen::BinaryCrossEntropy{}};
/// Throws Error for outputs of fewer than two dimensions, targets of other members than the outputs have, and what the
/// loss throws.
struct OverOwnTargets {
  AnyLoss loss = CrossEntropy{};

  at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    return sum_of_finite(MemberSamples(output, target, /*own_targets=*/true).means(loss));
  }

  /// The share of the members that are right, [N, entries]; undefined for a loss without accuracy.
  [[nodiscard]] at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const {
    const at::Tensor right = MemberSamples(output, target, /*own_targets=*/true).correct(loss);
    return right.defined() ? right.to(at::kFloat).nanmean(at::IntArrayRef{1}) : right;
  }

  void check_target(const at::Tensor& target) const {
    loss.check_target(target.defined() && target.dim() > 1 ? target.flatten(0, 1) : target);
  }
  [[nodiscard]] bool sums() const { return loss.sums(); }
};

}  // namespace regimen::inline v0
