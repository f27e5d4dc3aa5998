#pragma once

#include <ATen/core/Tensor.h>

#include "regimen/loss/concept.hpp"

namespace regimen::inline v0 {

/// A loss that is the sum over a batch's samples in place of the mean, such as a variational autoencoder's bound.
/// Training uses the sum itself, so the gradients of accumulated batches add up; scores are means per sample.
///     phase.loss = regimen::SummedLoss{[](const torch::Tensor& output, const torch::Tensor& target) { ... }};
struct SummedLoss {
  AnyLoss of;

  at::Tensor operator()(const at::Tensor& output, const at::Tensor& target) const { return of(output, target); }
  at::Tensor each(const at::Tensor& output, const at::Tensor& target) const { return of.each(output, target); }
  at::Tensor correct(const at::Tensor& output, const at::Tensor& target) const { return of.correct(output, target); }
  void check_target(const at::Tensor& target) const { of.check_target(target); }
  [[nodiscard]] bool sums() const { return true; }
};

}  // namespace regimen::inline v0
