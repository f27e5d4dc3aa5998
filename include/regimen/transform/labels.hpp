#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include "regimen/transform.hpp"

namespace regimen::inline v0 {

namespace detail {

/// Labels must be checked where they are used: a wrong one would only show as a crash, or not at all, in the loss.
inline void require_labels(const Batch& batch, const std::string& who) {
  if (!batch.target.defined() || batch.target.dim() != 1 || batch.target.scalar_type() != at::kLong) {
    throw Error(who + " takes targets of [N] int64, not " + described(batch.target));
  }
}

}  // namespace detail

/// Replaces the label of a share of the samples by one drawn uniformly from all classes.
///
/// A drawn label may be the true one, so about fraction * (1 - 1/classes) of the labels change; with
/// `exclude_true` it is drawn from the other classes, and about `fraction` of them do.
/// target [N] int64 in [0, classes) -> same shape and range; data is shared, not copied. The samples that a smaller
/// fraction chooses are among those that a larger one does.
/// Throws Error unless classes >= 2 and fraction is in [0, 1].
///     auto noisy = regimen::frozen(train, regimen::UniformLabels{.classes = 10}, /*seed=*/7);
struct UniformLabels {
  std::int64_t classes = 0;
  Knob fraction = 1;
  bool exclude_true = false;

  static constexpr auto fraction_bounds = detail::Bounds::share("UniformLabels.fraction");
  void check() const {
    detail::require(classes >= 2, "UniformLabels.classes", "at least 2", classes);
    fraction_bounds.check(fraction);
  }

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_labels(batch, "UniformLabels");
    return detail::with_target(batch, key.replaced(batch.target, classes, fraction, exclude_true, fraction_bounds));
  }
};

/// Turns labels into distributions: 1 - amount on the label, and amount / classes on each class, the label included
/// (Szegedy et al. 2016, section 7). With `cross_entropy` that is PyTorch's `label_smoothing`.
/// target [N] int64 in [0, classes) -> [N, classes] float. Draws nothing.
/// Throws Error unless classes >= 2 and amount is in [0, 1].
struct LabelSmoothing {
  std::int64_t classes = 0;
  Knob amount = 0.1;

  static constexpr auto amount_bounds = detail::Bounds::share("LabelSmoothing.amount");
  void check() const {
    detail::require(classes >= 2, "LabelSmoothing.classes", "at least 2", classes);
    amount_bounds.check(amount);
  }

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_labels(batch, "LabelSmoothing");
    const at::Tensor spread = key.now().tensor(amount, amount_bounds);
    const at::Tensor elsewhere = spread / static_cast<double>(classes);
    at::Tensor is_label = at::zeros({batch.target.size(0), classes}, batch.target.options().dtype(at::kFloat));
    is_label.scatter_(1, batch.target.unsqueeze(1), 1);
    return detail::with_target(batch, is_label * (1 - spread) + elsewhere);
  }
};

}  // namespace regimen::inline v0
