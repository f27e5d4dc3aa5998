#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/masked_fill.h>

#include <algorithm>
#include <cstdint>

#include "regimen/base/error.hpp"
#include "regimen/base/fields.hpp"
#include "regimen/loss/count.hpp"
#include "regimen/tensor/described.hpp"

/// What a loss has of the optional members of `Loss`, and what follows from them.
namespace regimen::inline v0::detail {

template <class L>
concept SaysEach = requires(const L& loss, const at::Tensor& t) { at::Tensor(loss.each(t, t)); };
template <class L>
concept SaysWeight = requires(const L& loss, const at::Tensor& t) { at::Tensor(loss.weight(t)); };
template <class L>
concept SaysCount = requires(const L& loss, const at::Tensor& t) { LossCount(loss.count(t)); };

/// The losses of single samples, [N]. Throws Error unless there is one for each sample.
template <SaysEach L>
at::Tensor each_of(const L& loss, const at::Tensor& output, const at::Tensor& target) {
  const at::Tensor each = loss.each(output, target);
  if (!each.defined() || each.dim() != 1 || each.size(0) != output.size(0)) {
    throw Error(name_of_type<L>() + "::each must give one loss for each of " + text(output.size(0)) +
                " samples, [N], but gave " + described(each));
  }
  return each;
}

/// The mean loss: the loss's own, or the weighted mean of `each`.
template <class L>
at::Tensor mean_loss(const L& loss, const at::Tensor& output, const at::Tensor& target) {
  if constexpr (requires { at::Tensor(loss(output, target)); }) {
    return loss(output, target);
  } else if constexpr (SaysWeight<L>) {
    const at::Tensor each = each_of(loss, output, target);
    const at::Tensor weight = loss.weight(target);
    if (!weight.defined() || weight.sizes() != each.sizes()) {
      throw Error(name_of_type<L>() + "::weight must give one weight for each of " + text(each.size(0)) +
                  " samples, [N], but gave " + described(weight));
    }
    const at::Tensor sum = weight.sum();
    // A batch in which nothing counts has loss 0, not 0 / 0.
    return (each * weight).sum() / sum.masked_fill(sum == 0, 1);
  } else {
    return each_of(loss, output, target).mean();
  }
}

/// The largest number of entries that a loss may judge: one per label, or per sample and position of an output [N, C,
/// ...].
inline std::int64_t most_to_judge(const at::Tensor& output, const at::Tensor& target) {
  const std::int64_t positions =
      output.dim() < 2 ? output.numel() : output.numel() / std::max<std::int64_t>(output.size(1), 1);
  return target.defined() ? std::max(target.numel(), positions) : output.numel();
}

}  // namespace regimen::inline v0::detail
