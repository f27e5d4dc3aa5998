#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "regimen/model/weights.hpp"
#include "regimen/tensor/real.hpp"

namespace regimen::inline v0::detail {

/// Whether none of n numbers is infinite or NaN, that is, none has all bits of `exponent` set. Integer arithmetic,
/// which compilers vectorize.
template <class Bits>
bool are_finite(const void* numbers, std::int64_t n, Bits exponent) {
  const auto* const from = static_cast<const unsigned char*>(numbers);
  Bits bad = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    Bits bits;
    std::memcpy(&bits, from + static_cast<std::size_t>(i) * sizeof bits, sizeof bits);
    bad |= static_cast<Bits>((bits & exponent) == exponent);
  }
  return bad == 0;
}

/// Whether all numbers of the tensors are finite; integer tensors are. Waits for the device at most once, at the end.
inline bool all_finite(const std::vector<at::Tensor>& tensors) {
  const at::NoGradGuard no_grad;
  at::Tensor on_device;
  for (const at::Tensor& each : tensors) {
    const at::Tensor numbers = as_real(each.detach());
    if (!numbers.is_floating_point()) {
      continue;
    }
    const bool plain = numbers.is_cpu() && numbers.is_non_overlapping_and_dense();
    if (plain && numbers.scalar_type() == at::kFloat) {
      if (!are_finite(numbers.data_ptr(), numbers.numel(), std::uint32_t{0x7F800000})) {
        return false;
      }
    } else if (plain && numbers.scalar_type() == at::kDouble) {
      if (!are_finite(numbers.data_ptr(), numbers.numel(), std::uint64_t{0x7FF0000000000000})) {
        return false;
      }
    } else {
      const at::Tensor here = numbers.isfinite().all();
      on_device = on_device.defined() ? on_device.logical_and(here) : here;
    }
  }
  return !on_device.defined() || on_device.item<bool>();
}

/// The tensors that training changes (the model's buffers and everything that the optimizer steps, parameters of a loss
/// included), with a check that they are finite. Tensors that were not finite at first, such as an unused layer or a
/// mask of infinities, are left out.
class FiniteWeights {
 public:
  FiniteWeights() = default;
  FiniteWeights(const Weights& model, const std::vector<at::Tensor>& stepped) {
    std::vector<at::Tensor> weights;
    for (const at::Tensor& weight : stepped) {
      if (weight.requires_grad()) {
        weights.push_back(weight);
      }
    }
    for (const Named& named : model.named_buffers()) {
      weights.push_back(named.tensor);
    }
    if (all_finite(weights)) {
      weights_ = weights;
      return;
    }
    for (const at::Tensor& weight : weights) {
      if (all_finite({weight})) {
        weights_.push_back(weight);
      }
    }
  }

  [[nodiscard]] bool finite() const { return all_finite(weights_); }

 private:
  std::vector<at::Tensor> weights_;
};

}  // namespace regimen::inline v0::detail
