#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/where.h>

#include "regimen/schedule/bounds.hpp"
#include "regimen/source/source.hpp"
#include "regimen/transform/detail/partners.hpp"
#include "regimen/transform/labels/checks.hpp"

namespace regimen::inline v0 {

/// Replaces the input of a share of the samples by one from another source, and keeps the label: open-set label noise,
/// that is, inputs of none of the classes (Wang et al. 2018, Iterative learning with open-set noisy labels).
///
/// data [N, ...] -> the same; only inputs are replaced: targets and further tensors stay, dense ones too. The samples
/// chosen by a smaller fraction are among those chosen by a larger one. In a recorded step `from` must lie on the
/// batch's device.
/// Throws Error unless `from` is indexed and has samples and data of the batch's shape and type, and fraction is in [0,
/// 1].
///     const auto noisy = regimen::frozen(cifar10, regimen::OpenSet{.from = cifar100, .fraction = 0.2}, /*seed=*/7);
struct OpenSet {
  Source from{};
  Share<"OpenSet.fraction"> fraction = 0.1;

  void check() const { detail::require_partners(from, "OpenSet.from"); }

  Batch operator()(const Batch& batch, const Key& key) const {
    const Batch others = detail::partners_for(batch, from, key.fold(1));
    detail::require_like(others, batch, "OpenSet.from");
    const at::Tensor chosen = detail::weights_by_row(key.chance(fraction), batch.data);
    return detail::with_data(batch, at::where(chosen, others.data, batch.data));
  }
};

}  // namespace regimen::inline v0
