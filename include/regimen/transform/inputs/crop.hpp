#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/constant_pad_nd.h>

#include <cstdint>

#include "regimen/key.hpp"
#include "regimen/transform/inputs/values.hpp"

namespace regimen::inline v0 {

/// Pads each image with `padding` zeros on every side and cuts the old size out at a random place: any shift of up to
/// `padding` pixels, all equally likely. data [N, C, H, W] -> the same. Throws Error unless padding >= 0.
struct RandomCrop {
  std::int64_t padding = 4;

  void check() const { detail::require(padding >= 0, "RandomCrop.padding", "at least 0", padding); }

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_images(batch, "RandomCrop");
    const std::int64_t height = batch.data.size(2);
    const std::int64_t width = batch.data.size(3);
    const at::Tensor padded = at::constant_pad_nd(batch.data, {padding, padding, padding, padding}, 0);
    const at::Tensor top = key.fold(0).below(2 * padding + 1);
    const at::Tensor left = key.fold(1).below(2 * padding + 1);
    // Where each pixel of each image comes from, in its padded image row by row: [N, 1, H * W].
    const at::Tensor row = top.view({-1, 1, 1}) + at::arange(height, top.options()).view({1, -1, 1});
    const at::Tensor column = left.view({-1, 1, 1}) + at::arange(width, top.options()).view({1, 1, -1});
    const at::Tensor place = (row * padded.size(3) + column).view({batch.size(), 1, height * width});
    const at::Tensor cut = padded.flatten(2).gather(2, place.expand({-1, batch.data.size(1), -1}));
    return detail::with_data(batch, cut.view(batch.data.sizes()));
  }
};

}  // namespace regimen::inline v0
