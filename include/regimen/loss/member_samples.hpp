#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/loss/concept.hpp"
#include "regimen/loss/count.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// The outputs of several networks in one module, [N, members, ...], and their targets: what a loss says of each
/// member. Of a mean that has an `each` it is computed for all members at once, else member by member.
///     const regimen::MemberSamples samples(output, target, /*own_targets=*/true);
///     const at::Tensor of_each = samples.means(regimen::CrossEntropy{});    // [members]
class MemberSamples {
 public:
  /// `own_targets`: whether target is [N, members, ...], or [N, ...] and the same for all members. Throws Error for
  /// outputs of fewer than two dimensions, and for targets of another N or of other members.
  MemberSamples(at::Tensor output, at::Tensor target, bool own_targets)
      : output_(std::move(output)), target_(std::move(target)), own_targets_(own_targets) {
    if (output_.dim() < 2 || output_.size(1) == 0) {
      throw Error("the outputs of several networks in one module must be [N, members, ...], not " +
                  detail::described(output_));
    }
    const bool fits = target_.defined() && target_.dim() >= (own_targets_ ? 2 : 1) && target_.size(0) == samples() &&
                      (!own_targets_ || target_.size(1) == members());
    if (!fits && (own_targets_ || target_.defined())) {
      throw Error("the targets of several networks in one module must be [" + detail::text(samples()) +
                  (own_targets_ ? ", " + detail::text(members()) : "") + ", ...] for an output of " +
                  detail::described(output_) + ", not " + detail::described(target_) +
                  (own_targets_ ? ": stacked makes such data" : ""));
    }
  }

  [[nodiscard]] std::int64_t samples() const { return output_.size(0); }
  [[nodiscard]] std::int64_t members() const { return output_.size(1); }

  /// The mean loss of each member, [members]; of a loss that is a sum, the sum. 0 if all samples are ignored.
  [[nodiscard]] at::Tensor means(const AnyLoss& loss) const {
    if (!loss.has_each() || loss.sums()) {
      return by_member([&](const at::Tensor& output, const at::Tensor& target) { return loss(output, target); });
    }
    const at::Tensor each = losses(loss);
    const at::Tensor weight = weights(loss);
    if (!weight.defined()) {
      return each.mean(0);
    }
    const at::Tensor sum = weight.sum(0);
    return (each * weight).sum(0) / sum.masked_fill(sum == 0, 1);
  }

  /// The sum of each member's losses, each times its weight, and the sum of the weights, [members] double: their
  /// quotient over all batches is the mean loss.
  struct Sums {
    at::Tensor loss;
    at::Tensor count;
  };
  [[nodiscard]] Sums sums(const AnyLoss& loss) const {
    const at::TensorOptions doubles = output_.options().dtype(at::kDouble);
    const at::Tensor all = at::full({members()}, static_cast<double>(samples()), doubles);
    if (loss.sums()) {
      return {means(loss).to(at::kDouble), all};
    }
    if (loss.has_each()) {
      const at::Tensor each = losses(loss).to(at::kDouble);
      const at::Tensor weight = weights(loss);
      return weight.defined() ? Sums{(each * weight).sum(0), weight.sum(0)} : Sums{each.sum(0), all};
    }
    const at::Tensor count = by_member([&](const at::Tensor& output, const at::Tensor& target) {
      return loss.count(target, samples()).on(output.device());
    });
    return {means(loss).to(at::kDouble) * count, count};
  }

  /// Correctness, [N, members, entries]: bool, or floating with NaN for entries that are not judged; undefined for a
  /// loss without accuracy. Throws Error for a loss whose own `correct` does not judge sample by sample.
  [[nodiscard]] at::Tensor correct(const AnyLoss& loss) const {
    const at::Tensor right = loss.correct(output_.flatten(0, 1), flat_target());
    if (right.defined() && (right.dim() == 0 || right.size(0) != samples() * members())) {
      throw Error(
          "of several networks in one module, a loss's correct(output, target) must judge each sample, [N, ...], "
          "but of " +
          detail::text(samples() * members()) + " samples it gave " + detail::described(right));
    }
    return right.defined() ? right.reshape({samples(), members(), samples() == 0 ? 0 : -1}) : right;
  }

 private:
  /// What call(output, target) gives for each member, 0-d, as [members].
  template <class Call>
  [[nodiscard]] at::Tensor by_member(const Call& call) const {
    std::vector<at::Tensor> all;
    for (std::int64_t i = 0; i < members(); ++i) {
      all.push_back(call(output_.select(1, i), own_targets_ ? target_.select(1, i) : target_));
    }
    return at::stack(all);
  }

  /// The targets of N * members samples, [N * members, ...].
  [[nodiscard]] at::Tensor flat_target() const {
    if (own_targets_ || !target_.defined()) {
      return own_targets_ ? target_.flatten(0, 1) : target_;
    }
    std::vector<std::int64_t> sizes = target_.sizes().vec();
    sizes.insert(sizes.begin() + 1, members());
    return target_.unsqueeze(1).expand(sizes).flatten(0, 1);
  }

  /// The loss of each sample, [N, members].
  [[nodiscard]] at::Tensor losses(const AnyLoss& loss) const {
    return loss.each(output_.flatten(0, 1), flat_target()).view({samples(), members()});
  }

  /// The weight of each sample in its member's mean, [N, members] double; undefined if all count alike.
  [[nodiscard]] at::Tensor weights(const AnyLoss& loss) const {
    const at::Tensor target = flat_target();
    return loss.weighs_alike(target) ? at::Tensor()
                                     : loss.weight(target, samples() * members()).view({samples(), members()});
  }

  at::Tensor output_;
  at::Tensor target_;
  bool own_targets_;
};

}  // namespace regimen::inline v0
