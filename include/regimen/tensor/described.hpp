#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "regimen/base/error.hpp"

namespace regimen::inline v0::detail {

/// Shape and type of a tensor as text: "[64, 1, 28, 28] unsigned char".
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
