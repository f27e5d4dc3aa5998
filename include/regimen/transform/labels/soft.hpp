#pragma once

#include <ATen/TensorOperators.h>

#include <cstdint>

#include "regimen/base/integer.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/transform/labels/checks.hpp"

namespace regimen::inline v0 {

/// Turns labels into distributions: 1 - amount on the label plus amount / classes on every class (Szegedy et al. 2016,
/// section 7). With `CrossEntropy` that is PyTorch's `label_smoothing`. target [N] int64 in [0, classes) -> [N,
/// classes] float. Draws nothing. Throws Error unless classes >= 2 and amount is in [0, 1].
struct LabelSmoothing {
  Integer classes = 0;
  Share<"LabelSmoothing.amount"> amount = 0.1;

  void check() const { detail::require(classes >= 2, "LabelSmoothing.classes", "at least 2", classes); }

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_labels_below(batch, classes, "LabelSmoothing");
    const at::Tensor spread = key.now().tensor(amount);
    const at::Tensor elsewhere = spread / static_cast<double>(classes);
    return detail::with_target(batch, detail::one_hot_rows(batch.target, classes) * (1 - spread) + elsewhere);
  }
};

/// Turns labels into one-hot vectors and adds normal noise of mean 0 to every entry: stochastic label noise (Chen et
/// al. 2021, Noise against noise). In `Phase::augment`, where the noise is new at every epoch, it keeps a network from
/// memorizing wrong labels; frozen, targets belong to no class.
///
/// target [N] int64 in [0, classes) or [N, classes] floating -> [N, classes] floating, entries of any sign, rows of any
/// sum, which `CrossEntropy` accepts. Throws Error unless classes >= 2 and stddev is at least 0 and finite.
///     phase.augment = {regimen::StochasticLabels{.classes = 10, .stddev = 0.5}};
struct StochasticLabels {
  Integer classes = 0;
  NotNegative<"StochasticLabels.stddev"> stddev = 0.5;

  void check() const { detail::require(classes >= 2, "StochasticLabels.classes", "at least 2", classes); }

  Batch operator()(const Batch& batch, const Key& key) const {
    const at::Tensor soft = detail::soft_target(batch, classes, "StochasticLabels");
    if (soft.dim() != 2 || soft.size(1) != classes) {
      throw Error("StochasticLabels takes soft targets of [N, " + detail::text(classes.value) + "], not " +
                  detail::described(soft));
    }
    const at::Tensor noise = key.normal({classes}) * key.now().tensor(stddev);
    return detail::with_target(batch, soft + noise.to(soft.scalar_type()));
  }
};

}  // namespace regimen::inline v0
