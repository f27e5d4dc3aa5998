#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "regimen/base/error.hpp"
#include "regimen/base/image_bytes.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// Many images as one, row by row, with a white line between two. images: [N, C, H, W] with 1 channel (grey) or 3 (red,
/// green, blue), or [N, H, W]; bytes, or floats in [0, 1], beyond which they are cut off and NaN is black. columns:
/// images side by side, at least 1; 0: about as many as rows. Throws Error for other shapes and types.
///     board.image("confusion set", 0, regimen::image_grid(confusion.get(torch::arange(64)).data));
[[nodiscard]] inline ImageBytes image_grid(const at::Tensor& images, std::int64_t columns = 0) {
  const bool has_shape = images.defined() && images.numel() > 0 &&
                         (images.dim() == 3 || (images.dim() == 4 && (images.size(1) == 1 || images.size(1) == 3)));
  if (!has_shape || (!images.is_floating_point() && images.scalar_type() != at::kByte)) {
    throw Error("image_grid takes images of [N, 1 or 3, H, W] or [N, H, W], bytes or floats in [0, 1], not " +
                detail::described(images));
  }
  detail::require(columns >= 0, "image_grid: columns", "at least 0", columns);
  const at::Tensor shaped = images.detach().dim() == 3 ? images.detach().unsqueeze(1) : images.detach();
  const at::Tensor scaled = shaped.is_floating_point() ? shaped.to(at::kFloat).nan_to_num(0).clamp(0, 1) * 255 : shaped;
  const at::Tensor pixels = (shaped.is_floating_point() ? scaled.round() : scaled).to(at::kCPU, at::kByte);
  const std::int64_t n = pixels.size(0);
  const std::int64_t height = pixels.size(2);
  const std::int64_t width = pixels.size(3);
  const auto square = static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(n))));
  const std::int64_t across = columns == 0 ? square : std::min(columns, n);
  const std::int64_t down = (n + across - 1) / across;
  const at::Tensor all = at::full({down * (height + 1) - 1, across * (width + 1) - 1, pixels.size(1)}, 255, at::kByte);
  for (std::int64_t i = 0; i < n; ++i) {
    all.narrow(0, i / across * (height + 1), height)
        .narrow(1, i % across * (width + 1), width)
        .copy_(pixels[i].permute({1, 2, 0}));
  }
  const auto* const first = all.data_ptr<std::uint8_t>();
  return {.height = static_cast<std::size_t>(all.size(0)),
          .width = static_cast<std::size_t>(all.size(1)),
          .channels = static_cast<std::size_t>(all.size(2)),
          .bytes = {first, first + all.numel()}};
}

}  // namespace regimen::inline v0
