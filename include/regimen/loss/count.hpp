#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>

#include <concepts>
#include <limits>
#include <type_traits>
#include <utility>

#include "regimen/base/config.hpp"

namespace regimen::inline v0 {

/// The denominator of a mean loss: a number of samples, labels or words, or the sum of their weights. A number if the
/// host knows it, else a 0-d tensor on the device, which is not waited for.
class LossCount {
 public:
  template <class N>
    requires std::is_arithmetic_v<N>
  LossCount(N number) : number_(static_cast<double>(number)) {}    // NOLINT: a number is a count
  LossCount(at::Tensor number) : on_device_(std::move(number)) {}  // NOLINT: and so is a 0-d tensor

  /// Whether the host knows the number.
  [[nodiscard]] bool known() const { return !on_device_.defined(); }

  /// The number. Waits for the device if the host does not know it.
  [[nodiscard]] double number() const { return known() ? number_ : on_device_.item<double>(); }

  /// The number as a 0-d double tensor on this device.
  [[nodiscard]] at::Tensor on(const at::Device& device) const {
    return known() ? at::full({}, number_, at::TensorOptions().device(device).dtype(at::kDouble))
                   : on_device_.to(device, at::kDouble);
  }

  /// value * this / all, in value's type; 0 if `all` is 0.
  [[nodiscard]] at::Tensor weigh(const at::Tensor& value, const LossCount& all) const {
    if (known() && all.known()) {
      return value * (all.number_ > 0 ? number_ / all.number_ : 0);
    }
    const at::Device device = value.device();
    return value * (on(device) / all.on(device).clamp_min(std::numeric_limits<double>::min())).to(value.scalar_type());
  }

  /// sum += value * this; sum 0-d double.
  void add_times(at::Tensor& sum, const at::Tensor& value) const {
    if (known()) {
      sum.add_(value, number_);
    } else {
      sum.add_(value.to(at::kDouble) * on(value.device()));
    }
  }

  friend LossCount operator+(const LossCount& a, const LossCount& b) {
    if (a.known() && b.known()) {
      return a.number_ + b.number_;
    }
    return a.known() ? b.on_device_ + a.number_ : b.known() ? a.on_device_ + b.number_ : a.on_device_ + b.on_device_;
  }

 private:
  double number_ = 0;
  at::Tensor on_device_;
};

}  // namespace regimen::inline v0
