#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "regimen/base/error.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0::detail {

/// Throws Error, in the name of `who`, unless X is [n, d] and y [n] or [n, k], floating, finite and with entries.
inline void require_least_squares_data(const at::Tensor& X, const at::Tensor& y, const std::string& who) {
  const bool shaped = X.defined() && y.defined() && X.dim() == 2 && X.numel() > 0 && (y.dim() == 1 || y.dim() == 2) &&
                      y.size(0) == X.size(0) && X.is_floating_point() && y.is_floating_point();
  if (!shaped) {
    throw Error(who + " takes X of [n, d] and y of [n] or [n, k], both floating, not " + described(X) + " and " +
                described(y));
  }
  if (!X.isfinite().all().item<bool>() || !y.isfinite().all().item<bool>()) {
    throw Error(who + " takes numbers that are finite");
  }
}

}  // namespace regimen::inline v0::detail
