#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>

#include <cstdint>
#include <vector>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// The l2 norm of each unit of a parameter or of its gradient. A unit is a row, the weights that come in to it, of a
/// tensor of two or more dimensions: [n, 1, ...]. One of fewer dimensions is a unit by itself: 0-d.
///
/// Rows are along the first dimension, that of the outputs in Linear [out, in], Conv [out, in / groups, ...] and the
/// matrices of RNNs. In ConvTranspose, [in, out / groups, ...], it is that of the inputs, and a row is what goes out of
/// one channel; in Embedding [words, features], a word. A tensor does not say which it is; timm's unitwise_norm takes
/// the first dimension of all of them too.
inline at::Tensor norm_of_units(const at::Tensor& tensor) {
  if (tensor.dim() < 2) {
    return tensor.norm();
  }
  std::vector<std::int64_t> inner;
  for (std::int64_t d = 1; d < tensor.dim(); ++d) {
    inner.push_back(d);
  }
  return (tensor.is_complex() ? tensor.abs() : tensor).square().sum(inner, /*keepdim=*/true).sqrt();
}

/// A 0-d number on the device of `like` and of its type. By arithmetic, for a copy from the host cannot be recorded
/// (`Captured`), and not every operation takes a number from the host beside tensors on a device.
inline at::Tensor beside(const at::Tensor& number, const at::Tensor& like) {
  return (at::ones({}, like.options()) * number).to(like.scalar_type());
}

}  // namespace regimen::inline v0::detail
