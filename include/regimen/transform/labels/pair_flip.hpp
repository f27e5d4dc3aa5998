#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/where.h>

#include <cstdint>

#include "regimen/base/integer.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/transform/labels/checks.hpp"

namespace regimen::inline v0 {

/// Replaces the label of a share of the samples by the one `shift` classes further, cyclically: pair-flip label noise
/// (Han et al. 2018, Co-teaching, with shift 1).
///
/// About `fraction` of the labels change. target [N] int64 in [0, classes) -> the same; data is shared. The samples
/// chosen by a smaller fraction are among those chosen by a larger one. Throws Error unless classes >= 2, fraction is
/// in [0, 1] and shift is in [1, classes - 1].
///     const auto noisy = regimen::frozen(train, regimen::PairFlip{.classes = 10, .fraction = 0.45}, /*seed=*/7);
struct PairFlip {
  Integer classes = 0;
  Share<"PairFlip.fraction"> fraction = 1;
  Integer shift = 1;

  void check() const {
    detail::require(classes >= 2, "PairFlip.classes", "at least 2", classes);
    detail::require(shift >= 1 && shift < classes, "PairFlip.shift", "in [1, " + detail::text(classes - 1) + "]",
                    shift);
  }

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_labels_below(batch, classes, "PairFlip");
    const at::Tensor other = (batch.target + shift.value).remainder(classes.value);
    return detail::with_target(batch, at::where(key.chance(fraction), other, batch.target));
  }
};

}  // namespace regimen::inline v0
