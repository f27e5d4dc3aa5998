#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "regimen/base/config.hpp"

namespace regimen::inline v0 {

/// The numbers of a tensor on any device as doubles, in row-major order.
[[nodiscard]] inline std::vector<double> doubles_of(const at::Tensor& tensor) {
  const at::Tensor on_host = tensor.detach().to(at::kCPU, at::kDouble).contiguous();
  const double* const first = on_host.data_ptr<double>();
  return {first, first + on_host.numel()};
}

namespace detail {
using v0::doubles_of;
}  // namespace detail
}  // namespace regimen::inline v0
