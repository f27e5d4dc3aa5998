#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>

#include <cstdint>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/loss/concept.hpp"
#include "regimen/loss/count.hpp"
#include "regimen/loss/member_samples.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/tensor/sum_of_finite.hpp"

namespace regimen::inline v0 {

/// The loss of an ensemble of networks in one module: the sum over the members of each one's mean loss, so that its
/// gradient is, for each member's parameters, the one that it would have alone. output [N, members, ...], and [N, ...]
/// a member's output. The targets are the same for all members, or with `own_targets` each member's own, [N, members,
/// ...], as `stacked` gives them. The accuracy is the mean over the members.
///
/// With own targets the loss's `each` is called for all members at once, and the epoch's train_loss weighs batches by
/// their samples, also where the loss leaves some out.
///
/// A member whose loss is not finite is left out of the sum, and with `FiniteGradients` one that diverges does not end
/// the training of the others. The loss is not finite if that of no member is.
///     phase.loss = regimen::OverMembers{regimen::BinaryCrossEntropy{}};
/// Throws Error for outputs of fewer than two dimensions, own targets of other members than the outputs have, and what
/// the loss throws.
struct OverMembers {
  AnyLoss loss = CrossEntropy{};
  bool own_targets = false;  ///< whether the targets are [N, members, ...]

  at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    if (own_targets) {
      return sum_of_finite(MemberSamples(output, target, own_targets).means(loss));
    }
    return sum_of_finite(at::stack(of_members(output, [&](const at::Tensor& own) { return loss(own, target); })));
  }

  /// The loss of each sample, summed over the members, [N].
  [[nodiscard]] at::Tensor each(const at::Tensor& output, const at::Tensor& target) const {
    if (own_targets) {
      return MemberSamples(output, target, own_targets).losses(loss).sum(1);
    }
    return at::stack(of_members(output, [&](const at::Tensor& own) { return loss.each(own, target); })).sum(0);
  }

  /// The weight of each sample, [N]: 1 with own targets, of which a loss may count those of some members alone.
  [[nodiscard]] at::Tensor weight(const at::Tensor& target) const {
    return own_targets ? at::ones({target.size(0)}, target.options().dtype(at::kDouble))
                       : loss.weight(target, target.size(0));
  }

  [[nodiscard]] LossCount count(const at::Tensor& target) const {
    return own_targets ? LossCount(target.size(0)) : loss.count(target, target.size(0));
  }

  /// The share of the members that are right, [N, ...]; undefined for a loss without accuracy.
  [[nodiscard]] at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const {
    if (own_targets) {
      const at::Tensor right = MemberSamples(output, target, own_targets).correct(loss);
      return right.defined() ? right.to(at::kFloat).mean(1) : right;
    }
    const std::vector<at::Tensor> all =
        of_members(output, [&](const at::Tensor& own) { return loss.correct(own, target); });
    return all.front().defined() ? at::stack(all).to(at::kFloat).mean(0) : at::Tensor();
  }

  void check_target(const at::Tensor& target) const {
    loss.check_target(own_targets && target.defined() && target.dim() > 1 ? target.flatten(0, 1) : target);
  }
  [[nodiscard]] bool sums() const { return loss.sums(); }

 private:
  /// What `call` gives for each member's output.
  template <class Call>
  static std::vector<at::Tensor> of_members(const at::Tensor& output, const Call& call) {
    if (output.dim() < 2 || output.size(1) == 0) {
      throw Error("OverMembers takes outputs of [N, members, ...], not " + detail::described(output));
    }
    std::vector<at::Tensor> all;
    for (std::int64_t i = 0; i < output.size(1); ++i) {
      all.push_back(call(output.select(1, i)));
    }
    return all;
  }
};

}  // namespace regimen::inline v0
