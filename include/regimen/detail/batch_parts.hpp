#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>

#include "regimen/batch.hpp"
#include "regimen/error.hpp"

namespace regimen::inline v0::detail {

/// The batch with other data.
inline Batch with_data(const Batch& batch, at::Tensor data) {
  Batch result = batch;
  result.data = std::move(data);
  return result;
}

/// The batch with other targets.
inline Batch with_target(const Batch& batch, at::Tensor target) {
  Batch result = batch;
  result.target = std::move(target);
  return result;
}

/// Whether targets are labels, [N] int64.
inline bool is_labels(const at::Tensor& target) {
  return target.defined() && target.dim() == 1 && target.scalar_type() == at::kLong;
}

/// "[64, 1, 28, 28] unsigned char"
inline std::string described(const at::Tensor& tensor) {
  if (!tensor.defined()) {
    return "undefined";
  }
  std::string text = "[";
  for (const std::int64_t length : tensor.sizes()) {
    text += (text.size() > 1 ? ", " : "") + detail::text(length);
  }
  return text + "] " + std::string(tensor.dtype().name());
}

}  // namespace regimen::inline v0::detail
