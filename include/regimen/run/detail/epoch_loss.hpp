#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <cstdint>
#include <utility>

#include "regimen/base/error.hpp"
#include "regimen/loss/count.hpp"
#include "regimen/observe/event.hpp"
#include "regimen/run/detail/step_taken.hpp"

namespace regimen::inline v0::detail {

/// The sum of the losses of an epoch's steps so far, on the device.
class EpochLoss {
 public:
  EpochLoss() = default;  ///< no device yet
  explicit EpochLoss(const at::Device& device)
      : sum_(at::zeros({}, at::TensorOptions().device(device).dtype(at::kDouble))) {}

  /// Continues from the part of an epoch in a state, and clears it there.
  EpochLoss(State& state, const at::Device& device) : EpochLoss(device) {
    sum_.fill_(std::exchange(state.loss_sum, 0));
    count_ = std::exchange(state.loss_count, 0);
    samples_ = std::exchange(state.loss_samples, 0);
  }

  void add(const StepTaken& step) {
    // A loss that overflowed in fp16 is left out with its step; if all are, the mean is NaN: divergence.
    if (!step.overflowed || std::isfinite(step.loss.item<double>())) {
      step.add_loss_to(sum_);
      count_ = count_ + step.count;
      samples_ += step.samples;
    }
  }

  /// The mean loss. Throws Error if all targets of the epoch are ignored.
  [[nodiscard]] double mean() const {
    const double count = count_.number();
    if (count == 0 && samples_ > 0) {
      throw Error("data: in a whole epoch no target counts for the loss, all are ignored");
    }
    return sum_.item<double>() / count;
  }

  [[nodiscard]] bool finite() const { return std::isfinite(sum_.item<double>()); }

  void write_to(State& state) const {
    state.loss_sum = sum_.item<double>();
    state.loss_count = count_.number();
    state.loss_samples = samples_;
  }

 private:
  at::Tensor sum_;  ///< 0-d double
  LossCount count_ = 0;
  std::int64_t samples_ = 0;
};

}  // namespace regimen::inline v0::detail
