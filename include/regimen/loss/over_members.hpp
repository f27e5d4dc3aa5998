#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/stack.h>

#include <cstdint>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/loss/concept.hpp"
#include "regimen/loss/count.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/tensor/sum_of_finite.hpp"

namespace regimen::inline v0 {

/// The loss of an ensemble of networks in one module: the sum over the members of each one's mean loss, so that its
/// gradient is, for each member's parameters, the one that it would have alone. output [N, members, ...], and [N, ...]
/// a member's output; targets are the same for all members. The accuracy is the mean over the members.
///
/// A member whose loss is not finite is left out of the sum, and with `FiniteGradients` one that diverges does not end
/// the training of the others. The loss is not finite if that of no member is.
///     phase.loss = regimen::OverMembers{regimen::BinaryCrossEntropy{}};
/// Throws Error for outputs of fewer than two dimensions, and what the loss throws.
struct OverMembers {
  AnyLoss loss = CrossEntropy{};

  at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    return sum_of_finite(at::stack(of_members(output, [&](const at::Tensor& own) { return loss(own, target); })));
  }

  /// The loss of each sample, summed over the members, [N].
  [[nodiscard]] at::Tensor each(const at::Tensor& output, const at::Tensor& target) const {
    return at::stack(of_members(output, [&](const at::Tensor& own) { return loss.each(own, target); })).sum(0);
  }

  [[nodiscard]] at::Tensor weight(const at::Tensor& target) const { return loss.weight(target, target.size(0)); }
  [[nodiscard]] LossCount count(const at::Tensor& target) const { return loss.count(target, target.size(0)); }

  /// The share of the members that are right, [N, ...]; undefined for a loss without accuracy.
  [[nodiscard]] at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const {
    const std::vector<at::Tensor> all =
        of_members(output, [&](const at::Tensor& own) { return loss.correct(own, target); });
    return all.front().defined() ? at::stack(all).to(at::kFloat).mean(0) : at::Tensor();
  }

  void check_target(const at::Tensor& target) const { loss.check_target(target); }
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
