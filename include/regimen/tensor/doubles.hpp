#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// The numbers of a tensor as doubles, in row-major order.
inline std::vector<double> doubles_of(const at::Tensor& tensor) {
  const at::Tensor on_host = tensor.detach().to(at::kCPU, at::kDouble).contiguous();
  const double* const first = on_host.data_ptr<double>();
  return {first, first + on_host.numel()};
}

}  // namespace regimen::inline v0::detail
