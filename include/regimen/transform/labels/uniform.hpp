#pragma once

#include <cstdint>

#include "regimen/base/integer.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/transform/labels/checks.hpp"

namespace regimen::inline v0 {

/// Replaces the label of a share of the samples by one drawn uniformly from all classes: symmetric label noise.
///
/// The drawn label may be the true one, so about fraction * (1 - 1/classes) of the labels change; with `exclude_true`
/// it is drawn from the other classes, and about `fraction` of them change. target [N] int64 in [0, classes) -> the
/// same; data is shared, not copied. The samples chosen by a smaller fraction are among those chosen by a larger one.
/// Throws Error unless classes >= 2 and fraction is in [0, 1].
///     auto noisy = regimen::frozen(train, regimen::UniformLabels{.classes = 10}, /*seed=*/7);
struct UniformLabels {
  Integer classes = 0;
  Share<"UniformLabels.fraction"> fraction = 1;
  bool exclude_true = false;

  void check() const { detail::require(classes >= 2, "UniformLabels.classes", "at least 2", classes); }

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_labels(batch, "UniformLabels");
    return detail::with_target(batch, key.replaced(batch.target, classes, fraction, exclude_true, fraction.bounds()));
  }
};

}  // namespace regimen::inline v0
