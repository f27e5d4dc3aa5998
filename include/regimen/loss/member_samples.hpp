#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/loss/concept.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// The outputs of several networks in one module, [N, members, ...], and their targets, as N * members samples of their
/// own: what a loss says of them, by member (`OverMembers`, `MemberScores`).
///     const regimen::MemberSamples samples(output, target, /*own_targets=*/true);
///     const at::Tensor of_each = samples.means(regimen::CrossEntropy{});    // [members]
class MemberSamples {
 public:
  /// `own_targets`: whether target is [N, members, ...], or [N, ...] and the same for all members. Throws Error for
  /// outputs of fewer than two dimensions, and for own targets that are not there for each member.
  MemberSamples(const at::Tensor& output, const at::Tensor& target, bool own_targets)
      : samples_(output.dim() > 0 ? output.size(0) : 0), members_(output.dim() > 1 ? output.size(1) : 0) {
    if (members_ == 0) {
      throw Error("OverMembers takes outputs of [N, members, ...], not " + detail::described(output));
    }
    if (own_targets &&
        (!target.defined() || target.dim() < 2 || target.size(0) != samples_ || target.size(1) != members_)) {
      throw Error("OverMembers with own_targets takes targets of [N, members, ...], which is [" +
                  detail::text(samples_) + ", " + detail::text(members_) + ", ...] for an output of " +
                  detail::described(output) + ", not " + detail::described(target) + ": stacked makes such data");
    }
    output_ = output.flatten(0, 1);
    if (own_targets) {
      target_ = target.flatten(0, 1);
    } else if (target.defined()) {
      std::vector<std::int64_t> sizes = target.sizes().vec();
      sizes.insert(sizes.begin() + 1, members_);
      target_ = target.unsqueeze(1).expand(sizes).flatten(0, 1);
    }
  }

  [[nodiscard]] std::int64_t members() const { return members_; }

  /// The loss of each sample, [N, members].
  [[nodiscard]] at::Tensor losses(const AnyLoss& loss) const {
    return loss.each(output_, target_).view({samples_, members_});
  }

  /// The weight of each sample in its member's mean, [N, members] double; undefined if all count alike.
  [[nodiscard]] at::Tensor weights(const AnyLoss& loss) const {
    const LossCount count = loss.sums() ? LossCount(output_.size(0)) : loss.count(target_, output_.size(0));
    const bool alike = count.known() && count.number() == static_cast<double>(output_.size(0));
    return alike ? at::Tensor() : loss.weight(target_, output_.size(0)).view({samples_, members_});
  }

  /// The mean loss of each member, [members]; of a loss that is a sum, the sum. 0 if nothing counts.
  [[nodiscard]] at::Tensor means(const AnyLoss& loss) const {
    const at::Tensor each = losses(loss);
    if (loss.sums()) {
      return each.sum(0);
    }
    const at::Tensor weight = weights(loss);
    if (!weight.defined()) {
      return each.mean(0);
    }
    const at::Tensor sum = weight.sum(0);
    return (each * weight).sum(0) / sum.masked_fill(sum == 0, 1);
  }

  /// Correctness, [N, members, entries]: bool, or floating with NaN for entries that are not judged; undefined for a
  /// loss without accuracy.
  [[nodiscard]] at::Tensor correct(const AnyLoss& loss) const {
    const at::Tensor right = loss.correct(output_, target_);
    return right.defined() ? right.reshape({samples_, members_, samples_ == 0 ? 0 : -1}) : right;
  }

 private:
  std::int64_t samples_;
  std::int64_t members_;
  at::Tensor output_{};
  at::Tensor target_{};
};

}  // namespace regimen::inline v0
