#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "regimen/base/error.hpp"
#include "regimen/batch/tensors.hpp"
#include "regimen/loss/count.hpp"
#include "regimen/loss/predicted.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/tensor/device_copies.hpp"

namespace regimen::inline v0 {

namespace detail {

/// The weight of each label, [label.numel()]: 1 or its class's weight; 0 for a label that is `ignored`. of_class [C]:
/// the weights of the classes; undefined if all are 1.
inline at::Tensor weight_of_labels(const at::Tensor& label, std::int64_t ignored, const at::Tensor& of_class) {
  const at::Tensor counts = (label != ignored).flatten();
  if (!of_class.defined()) {
    return counts;
  }
  // A label out of range is clamped here; the loss reports it.
  const at::Tensor index = label.clamp(0, of_class.numel() - 1).flatten();
  return of_class.to(at::kDouble).index_select(0, index) * counts;
}

/// The number of labels that are not `ignored`, or the sum of their classes' weights; 0-d double on the labels' device.
inline at::Tensor counted_labels(const at::Tensor& label, std::int64_t ignored, const at::Tensor& of_class) {
  return weight_of_labels(label, ignored, of_class).sum().to(at::kDouble);
}

}  // namespace detail

/// Cross entropy of logits [N, C, ...] against labels [N, ...] int64 in [0, C), or against distributions of the logits'
/// shape. The dimensions after C are positions (pixels, words), each with a loss of its own.
///
/// The mean is over the labels, or weighted by their classes' weights, as in PyTorch. A label that is `ignore_index`
/// counts neither in the loss nor in the accuracy; a batch with no other labels has loss 0, where PyTorch has NaN.
/// Accuracy is the share of labels that are predicted; distributions have none. Throws Error for other shapes and
/// types, for class weights that are negative or not C, and on the CPU for a label out of [0, C); on other devices
/// LibTorch reports that in its own way.
///     phase.loss = regimen::CrossEntropy{.class_weights = {1, 5}, .ignore_index = 255};
struct CrossEntropy {
  detail::Table<double> class_weights{};       ///< one for each class, at least 0 and finite; empty: all 1
  std::optional<std::int64_t> ignore_index{};  ///< label of entries that are not judged

  void check() const {
    for (const double weight : class_weights.elements()) {
      detail::require(weight >= 0 && std::isfinite(weight), "CrossEntropy.class_weights", "at least 0 and finite",
                      weight);
    }
  }

  at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    require_pair(output, target);
    if (counts_all() || target.is_floating_point()) {
      return at::cross_entropy_loss(output, target, weights_beside(output));
    }
    // The sum divided by the count: LibTorch's mean is NaN if nothing counts.
    const at::Tensor sum =
        at::cross_entropy_loss(output, target, weights_beside(output), at::Reduction::Sum, ignored());
    const at::Tensor over = detail::counted_labels(target, ignored(), weights_beside(output));
    return sum / over.masked_fill(over == 0, 1).to(sum.scalar_type());
  }

  /// The loss of each sample, [N]: the mean over its positions, weighted as the mean over all; 0 if none counts.
  at::Tensor each(const at::Tensor& output, const at::Tensor& target) const {
    require_pair(output, target);
    const at::Tensor given =
        at::cross_entropy_loss(output, target, weights_beside(output), at::Reduction::None, ignored());
    // The number of an image's pixels may exceed the range of half precision.
    const at::Tensor losses = given.element_size() < 4 ? given.to(at::kFloat) : given;
    const at::Tensor sums = losses.dim() == 1 ? losses : losses.flatten(1).sum(1);
    const at::Tensor over = weight(target).to(sums.scalar_type());
    return sums / over.masked_fill(over == 0, 1);
  }

  /// The weight of each sample in the mean, [N] double: the number of its labels or the sum of their classes' weights;
  /// for distributions the number of its positions.
  at::Tensor weight(const at::Tensor& target) const {
    check_target(target);
    const std::int64_t n = target.size(0);
    if (target.is_floating_point()) {
      const std::int64_t positions = n == 0 ? 1 : target.numel() / (n * target.size(1));
      return at::full({n}, static_cast<double>(positions), target.options().dtype(at::kDouble));
    }
    const at::Tensor each = detail::weight_of_labels(target, ignored(), weights_on(target.device()));
    return each.to(at::kDouble).view({n, n == 0 ? 1 : -1}).sum(1);
  }

  /// The denominator of the mean: the sum of `weight`.
  LossCount count(const at::Tensor& target) const {
    check_target(target);
    if (target.is_floating_point()) {
      return target.numel() / target.size(1);
    }
    return counts_all() ? LossCount(target.numel())
                        : LossCount(detail::counted_labels(target, ignored(), weights_on(target.device())));
  }

  /// Correctness of each label, [N, ...]: bool, or, with `ignore_index`, floating 1, 0, and NaN for ignored labels.
  at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const {
    if (!detail::are_labels_for(output, target)) {
      return {};
    }
    const at::Tensor right = predicted_classes(output) == target;
    return ignore_index ? right.to(at::kFloat).masked_fill(target == *ignore_index, std::nan("")) : right;
  }

  /// Throws Error for targets that fit no logits.
  void check_target(const at::Tensor& target) const {
    const bool labels = target.defined() && target.scalar_type() == at::kLong && target.dim() >= 1;
    const bool shares = target.defined() && target.is_floating_point() && target.dim() >= 2;
    if (!labels && !shares) {
      throw Error("CrossEntropy takes labels of [N, ...] int64 or distributions of [N, C, ...] floating, not " +
                  detail::described(target) + cure(target));
    }
    if (shares && ignore_index) {
      throw Error("CrossEntropy.ignore_index is for labels: the targets are distributions, " +
                  detail::described(target));
    }
  }

 private:
  [[nodiscard]] bool counts_all() const { return !ignore_index && class_weights.size() == 0; }
  [[nodiscard]] std::int64_t ignored() const { return ignore_index.value_or(-100); }

  static std::string cure(const at::Tensor& target) {
    if (!target.defined()) {
      return ": give the data targets, or the phase another loss";
    }
    if (target.is_floating_point()) {
      return ": classes need .to(torch::kLong); one probability a sample is for BinaryCrossEntropy, numbers are for "
             "MeanSquaredError";
    }
    return ": make it int64 by .to(torch::kLong)";
  }

  void require_pair(const at::Tensor& output, const at::Tensor& target) const {
    check_target(target);
    const auto pair = [&] {
      return ": the output is " + detail::described(output) + ", the target " + detail::described(target);
    };
    if (output.dim() < 2) {
      throw Error("CrossEntropy takes logits of [N, C, ...]" + pair());
    }
    const std::int64_t classes = output.size(1);
    if (target.is_floating_point()) {
      if (target.sizes() != output.sizes()) {
        throw Error("CrossEntropy takes distributions of the logits' shape" + pair());
      }
    } else if (target.dim() != output.dim() - 1 || target.size(0) != output.size(0) ||
               target.sizes().slice(1) != output.sizes().slice(2)) {
      const bool column = target.dim() == 2 && target.size(1) == 1 && output.dim() == 2;
      throw Error("CrossEntropy takes one label for each sample and position of the logits [N, C, ...]" + pair() +
                  (column ? "; make it [N] by .squeeze(1)" : ""));
    }
    if (class_weights.size() != 0) {
      detail::require(static_cast<std::int64_t>(class_weights.size()) == classes, "CrossEntropy.class_weights.size()",
                      "the number of classes, " + detail::text(classes), class_weights.size());
    }
    if (!target.is_floating_point() && target.device().is_cpu()) {
      require_labels_below(classes, target);
    }
  }

  void require_labels_below(std::int64_t classes, const at::Tensor& target) const {
    const at::Tensor in_line = target.contiguous();
    const auto* const label = in_line.data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < in_line.numel(); ++i) {
      if ((label[i] < 0 || label[i] >= classes) && !(ignore_index && label[i] == *ignore_index)) {
        detail::require(false, "CrossEntropy: a label", "in [0, " + detail::text(classes) + "), the network's outputs",
                        label[i]);
      }
    }
  }

  /// Class weights on a device, [C] double; undefined if there are none.
  [[nodiscard]] at::Tensor weights_on(const at::Device& device) const {
    if (class_weights.size() == 0) {
      return {};
    }
    const auto classes = static_cast<std::int64_t>(class_weights.size());
    return class_weights.kept().on(device, {classes},
                                   [&] { return at::tensor(class_weights.elements(), at::kDouble); });
  }

  /// Class weights in the output's type.
  [[nodiscard]] at::Tensor weights_beside(const at::Tensor& output) const {
    const at::Tensor weights = weights_on(output.device());
    return weights.defined() ? weights.to(output.scalar_type()) : weights;
  }
};

}  // namespace regimen::inline v0
