#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "regimen/loss/count.hpp"

namespace regimen::inline v0::detail {

/// What became of one optimizer step.
struct StepTaken {
  double lr_scale = 1;
  std::int64_t batches = 0;
  bool overflowed = false;  ///< in fp16: the weights stayed as they were
  at::Tensor loss{};        ///< 0-d, without penalties, on the device
  bool sums = false;        ///< the loss is a sum over the samples
  LossCount count = 0;      ///< what the loss is a mean over; of a sum, its samples
  std::int64_t samples = 0;
  double loss_scale = 0;  ///< fp16's; else 0
  std::int64_t loss_scale_steps = 0;

  /// Adds the losses of its samples to an epoch's sum, 0-d double, whose mean is that over all counts.
  void add_loss_to(at::Tensor& sum) const { (sums ? LossCount(1) : count).add_times(sum, loss); }
};

}  // namespace regimen::inline v0::detail
