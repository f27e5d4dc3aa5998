#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>

#include <cstdint>
#include <vector>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// The l2 norms of the units of a parameter or of its gradient. A unit is a row, along the first dimension, of a tensor
/// of two or more dimensions: [n, 1, ...]. A tensor of fewer dimensions is one unit: 0-d.
///
/// Rows are the incoming weights of an output in Linear [out, in], Conv [out, in / groups, ...] and the matrices of
/// RNNs; the outgoing weights of an input channel in ConvTranspose, [in, out / groups, ...]; a word in Embedding
/// [words, features]. A tensor does not tell which it is; timm's unitwise_norm takes the first dimension of all of them
/// too.
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

/// A 0-d number on the device and in the type of `like`. Made by arithmetic, since a copy from the host cannot be
/// recorded (`Captured`), and not every operation mixes a number on the host with tensors on a device.
inline at::Tensor beside(const at::Tensor& number, const at::Tensor& like) {
  return (at::ones({}, like.options()) * number).to(like.scalar_type());
}

}  // namespace regimen::inline v0::detail
