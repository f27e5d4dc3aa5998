#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/mse_loss.h>

#include <cstdint>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/batch/tensors.hpp"
#include "regimen/loss/detail/range.hpp"
#include "regimen/tensor/described.hpp"

/// Losses that compare each output with its own target.
namespace regimen::inline v0 {

namespace detail {

/// Throws Error for complex numbers, of which only the real part would be compared.
inline void require_real_numbers(const at::Tensor& tensor, const std::string& who, const std::string& what) {
  if (tensor.defined() && tensor.is_complex()) {
    throw Error(who + " compares real numbers, but the " + what + " is " + described(tensor) +
                ": make real ones of it (torch::view_as_real, or abs)");
  }
}

/// Throws Error unless output and target have one shape up to dimensions of length 1: [N] fits [N, 1]. Without it [N]
/// and [N, C] would silently be broadcast, and [N, C, H, W] and [N, H, W, C] be compared in the wrong order.
inline void require_same_shape(const at::Tensor& output, const at::Tensor& target, const std::string& who) {
  const auto lengths = [](const at::Tensor& tensor) {
    std::vector<std::int64_t> above_one;
    for (const std::int64_t length : tensor.sizes().slice(1)) {
      if (length != 1) {
        above_one.push_back(length);
      }
    }
    return above_one;
  };
  if (!target.defined() || output.dim() == 0 || target.dim() == 0 || output.size(0) != target.size(0) ||
      lengths(output) != lengths(target)) {
    throw Error(who + " takes targets of the output's shape, " + described(output) + ", not " + described(target));
  }
}

/// The mean of each row, [N, ...] -> [N].
inline at::Tensor mean_of_rows(const at::Tensor& numbers) {
  return numbers.numel() == numbers.size(0) ? numbers.flatten() : numbers.flatten(1).mean(1);
}

/// Throws Error, in the name of `who`, for targets that are no labels 0 and 1, nor numbers in between.
inline void check_binary_target(const at::Tensor& target, const std::string& who) {
  if (!target.defined()) {
    throw Error(who + " takes labels 0 and 1, but the data have no targets");
  }
  require_real_numbers(target, who, "target");
  if (target.is_cpu()) {
    if (const auto wrong = first_outside(target, 0, 1)) {
      throw Error(who + " takes targets in [0, 1], but one is " + text(*wrong) +
                  ": make labels 0 and 1 of them (of 1 and 2 by - 1, of -1 and 1 by > 0, of a mask's bytes by / 255)");
    }
  }
}

}  // namespace detail

/// Binary cross entropy of logits: one per sample, [N] or [N, 1], or several, [N, ...], of which a sample may have any
/// number positive. Targets have the output's shape: labels 0 and 1 of any type, or floating numbers in [0, 1].
///
/// With one logit per sample, a prediction is correct if (logit > 0) equals (target > 0.5); a NaN logit is wrong. With
/// several, "correct" has no single meaning (each? all of them?), and only the loss is scored, unless a struct of your
/// own has a `correct`.
/// Throws Error for targets of another shape, and on the CPU for a target out of [0, 1].
struct BinaryCrossEntropy {
  at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    detail::require_same_shape(output, target, "BinaryCrossEntropy");
    detail::require_real_numbers(output, "BinaryCrossEntropy", "output");
    check_target(target);
    return at::binary_cross_entropy_with_logits(output, target.view_as(output).to(output.scalar_type()));
  }

  /// The loss of each sample, [N]: the mean over its logits.
  at::Tensor each(const at::Tensor& output, const at::Tensor& target) const {
    detail::require_same_shape(output, target, "BinaryCrossEntropy");
    detail::require_real_numbers(output, "BinaryCrossEntropy", "output");
    check_target(target);
    return detail::mean_of_rows(at::binary_cross_entropy_with_logits(
        output, target.view_as(output).to(output.scalar_type()), {}, {}, at::Reduction::None));
  }

  at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const {
    if (output.numel() != output.size(0)) {
      return {};
    }
    const at::Tensor logit = output.flatten();
    return ((logit > 0) == (target.flatten() > 0.5)).logical_and(logit.isnan().logical_not());
  }

  /// Throws Error for targets that fit no logits.
  void check_target(const at::Tensor& target) const { detail::check_binary_target(target, "BinaryCrossEntropy"); }
};

/// Half the mean of the squared differences between one output per sample, [N] or [N, 1], and the labels as -1 and +1:
/// least-squares classification, the loss of most theory of gradient descent on networks. Targets are labels 0 and 1 of
/// the output's shape, as for BinaryCrossEntropy; soft ones in between are the numbers in between.
///
/// A prediction is correct if (output > 0) equals (target > 0.5); a NaN output is wrong. Theory sums over the samples:
/// a step of rate e on the sum is one of rate e n on this mean, with n samples a batch. Throws Error for outputs and
/// targets of other shapes, and on the CPU for a target out of [0, 1].
struct BinarySquaredError {
  at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    return each(output, target).mean();
  }

  /// The loss of each sample, [N].
  at::Tensor each(const at::Tensor& output, const at::Tensor& target) const {
    detail::require_same_shape(output, target, "BinarySquaredError");
    detail::require_real_numbers(output, "BinarySquaredError", "output");
    if (output.numel() != output.size(0)) {
      throw Error("BinarySquaredError takes one output per sample, [N] or [N, 1], not " + detail::described(output));
    }
    check_target(target);
    const at::Tensor sign = target.flatten().to(output.scalar_type()) * 2 - 1;
    return (output.flatten() - sign).square() / 2;
  }

  at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const {
    return BinaryCrossEntropy{}.correct(output, target);
  }

  /// Throws Error for targets that are no labels 0 and 1.
  void check_target(const at::Tensor& target) const { detail::check_binary_target(target, "BinarySquaredError"); }
};

/// Mean of the squared differences over samples and outputs; there is no accuracy. Throws Error for targets of another
/// shape than the output's ([N] fits [N, 1]), and for complex numbers.
struct MeanSquaredError {
  at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const {
    detail::require_same_shape(output, target, "MeanSquaredError");
    detail::require_real_numbers(output, "MeanSquaredError", "output");
    detail::require_real_numbers(target, "MeanSquaredError", "target");
    return at::mse_loss(output, target.view_as(output).to(output.scalar_type()));
  }

  /// The loss of each sample, [N]: the mean over its outputs.
  at::Tensor each(const at::Tensor& output, const at::Tensor& target) const {
    detail::require_same_shape(output, target, "MeanSquaredError");
    detail::require_real_numbers(output, "MeanSquaredError", "output");
    detail::require_real_numbers(target, "MeanSquaredError", "target");
    return detail::mean_of_rows((output - target.view_as(output).to(output.scalar_type())).square());
  }

  /// Throws Error for targets that fit no outputs.
  void check_target(const at::Tensor& target) const {
    if (!target.defined()) {
      throw Error("MeanSquaredError takes targets of the output's shape, but the data have none");
    }
    detail::require_real_numbers(target, "MeanSquaredError", "target");
  }
};

}  // namespace regimen::inline v0
