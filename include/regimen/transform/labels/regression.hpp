#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/where.h>

#include <cmath>

#include "regimen/schedule/bounds.hpp"
#include "regimen/transform/labels/checks.hpp"

namespace regimen::inline v0 {

/// Adds normal noise of mean 0 to every entry of the targets, in their units. target [N] or [N, ...] floating -> the
/// same. Throws Error unless stddev is at least 0 and finite.
///     const auto noisy = regimen::frozen(train, regimen::TargetNoise{.stddev = 0.2}, /*seed=*/7);
struct TargetNoise {
  NotNegative<"TargetNoise.stddev"> stddev = 0.1;

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_floating_target(batch, "TargetNoise");
    const at::Tensor noise = key.normal(batch.target.sizes().slice(1)) * key.now().tensor(stddev);
    return detail::with_target(batch, batch.target + noise.to(batch.target.scalar_type()));
  }
};

/// Replaces the targets of a share of the samples, all their entries, by uniform draws from [low, high): gross errors,
/// independent of the truth (Huber 1964, the contaminated model). target [N] or [N, ...] floating -> the same. The
/// samples chosen by a smaller fraction are among those chosen by a larger one. Throws Error unless fraction is in [0,
/// 1] and low < high, both finite.
///     const auto noisy = regimen::frozen(train, regimen::TargetOutliers{.fraction = 0.1, .low = -5, .high = 5}, 7);
struct TargetOutliers {
  Share<"TargetOutliers.fraction"> fraction = 0.1;
  double low = -1;
  double high = 1;

  void check() const {
    detail::require(std::isfinite(low), "TargetOutliers.low", "finite", low);
    detail::require(std::isfinite(high) && high > low, "TargetOutliers.high", "finite and above low", high);
  }

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_floating_target(batch, "TargetOutliers");
    const at::Tensor drawn = low + key.fold(1).uniform(batch.target.sizes().slice(1)) * (high - low);
    const at::Tensor chosen = detail::weights_by_row(key.chance(fraction), batch.target);
    return detail::with_target(batch, at::where(chosen, drawn.to(batch.target.scalar_type()), batch.target));
  }
};

}  // namespace regimen::inline v0
