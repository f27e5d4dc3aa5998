#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// The first number of a CPU tensor that is NaN or not in [low, high]; nullopt if there is none. A plain loop, since
/// LibTorch's reductions would cost more than the step of a small network.
template <class T>
std::optional<double> first_outside_as(const at::Tensor& tensor, double low, double high) {
  const at::Tensor in_line = tensor.contiguous();
  const T* const number = in_line.data_ptr<T>();
  for (std::int64_t i = 0; i < in_line.numel(); ++i) {
    const auto value = static_cast<double>(number[i]);
    if (!(value >= low && value <= high)) {
      return value;
    }
  }
  return std::nullopt;
}

inline std::optional<double> first_outside(const at::Tensor& tensor, double low, double high) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return first_outside_as<float>(tensor, low, high);
    case at::kLong:
      return first_outside_as<std::int64_t>(tensor, low, high);
    case at::kByte:
      return first_outside_as<std::uint8_t>(tensor, low, high);
    case at::kDouble:
      return first_outside_as<double>(tensor, low, high);
    default:
      return first_outside_as<double>(tensor.to(at::kDouble), low, high);
  }
}

}  // namespace regimen::inline v0::detail
