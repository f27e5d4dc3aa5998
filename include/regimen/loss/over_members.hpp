#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/loss/concept.hpp"
#include "regimen/loss/count.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// The loss of an ensemble of networks in one module: the sum over the members of each one's mean loss, so that its
/// gradient is, for each member's parameters, the one that it would have alone. output [N, members, ...], and [N, ...]
/// a member's output; targets are the same for all members. The accuracy is the mean over the members.
///     phase.loss = regimen::OverMembers{regimen::BinaryCrossEntropy{}};
/// Throws Error for outputs of fewer than two dimensions, and what the loss throws.
struct OverMembers {
  AnyLoss loss = CrossEntropy{};

  at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    const Flat flat(output, target);
    const at::Tensor mean = loss(flat.output, flat.target);
    return loss.sums() ? mean : mean * flat.members;
  }

  /// The loss of each sample, summed over the members, [N].
  [[nodiscard]] at::Tensor each(const at::Tensor& output, const at::Tensor& target) const {
    const Flat flat(output, target);
    return loss.each(flat.output, flat.target).view({-1, flat.members}).sum(1);
  }

  [[nodiscard]] at::Tensor weight(const at::Tensor& target) const { return loss.weight(target, target.size(0)); }
  [[nodiscard]] LossCount count(const at::Tensor& target) const { return loss.count(target, target.size(0)); }

  /// The share of the members that are right, [N, ...]; undefined for a loss without accuracy.
  [[nodiscard]] at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const {
    const Flat flat(output, target);
    const at::Tensor right = loss.correct(flat.output, flat.target);
    return right.defined() ? right.unflatten(0, {-1, flat.members}).to(at::kFloat).mean(1) : right;
  }

  void check_target(const at::Tensor& target) const { loss.check_target(target); }
  [[nodiscard]] bool sums() const { return loss.sums(); }

 private:
  /// All members' outputs one after another, [N * members, ...], and the targets of each.
  struct Flat {
    Flat(const at::Tensor& outputs, const at::Tensor& targets) {
      if (outputs.dim() < 2) {
        throw Error("OverMembers takes outputs of [N, members, ...], not " + detail::described(outputs));
      }
      members = outputs.size(1);
      output = outputs.flatten(0, 1);
      if (targets.defined()) {
        std::vector<std::int64_t> sizes = targets.sizes().vec();
        sizes.insert(sizes.begin() + 1, members);
        target = targets.unsqueeze(1).expand(sizes).flatten(0, 1);
      }
    }

    std::int64_t members = 1;
    at::Tensor output, target;
  };
};

}  // namespace regimen::inline v0
