#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "regimen/loss/count.hpp"

namespace regimen::inline v0::detail {

/// The result of one optimizer step.
struct StepTaken {
  double lr_scale = 1;
  std::int64_t batches = 0;
  bool overflowed = false;  ///< in fp16: the step was skipped
  at::Tensor loss{};        ///< 0-d, without penalties, on the device
  bool sums = false;        ///< true if the loss is a sum over the samples
  LossCount count = 0;      ///< denominator of the mean loss; for a sum, the number of samples
  std::int64_t samples = 0;
  double loss_scale = 0;  ///< factor of fp16's loss scaler; else 0
  std::int64_t loss_scale_steps = 0;

  /// Adds the step's loss, times its denominator, to an epoch's sum, 0-d double.
  void add_loss_to(at::Tensor& sum) const { (sums ? LossCount(1) : count).add_times(sum, loss); }
};

}  // namespace regimen::inline v0::detail
