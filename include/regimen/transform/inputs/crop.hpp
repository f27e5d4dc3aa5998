#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/constant_pad_nd.h>

#include <algorithm>
#include <cstdint>

#include "regimen/base/integer.hpp"
#include "regimen/key/key.hpp"
#include "regimen/transform/inputs/moved.hpp"
#include "regimen/transform/inputs/values.hpp"

namespace regimen::inline v0 {

/// Pads each image with `padding` zeros on every side and crops the old size at a random position: shifts by up to
/// `padding` pixels, all equally likely. data [N, C, H, W] -> the same.
///
/// Dense targets are cropped with the same window, padded with `target_fill` (for instance the index that a loss
/// ignores); so are further tensors of the images' height and width, padded with zeros.
/// Throws Error unless padding is in [0, 2^30), for a dense target of another height or width, and for a `target_fill`
/// that the target's type cannot hold.
///     phase.augment = {regimen::RandomCrop{.padding = 4, .target_fill = -100}};
struct RandomCrop {
  Integer padding = 4;
  double target_fill = 0;

  void check() const {
    constexpr std::int64_t most = (std::int64_t{1} << 30) - 1;  // a draw is below 2 * padding + 1
    detail::require(padding >= 0, "RandomCrop.padding", "at least 0", padding);
    detail::require(padding <= most, "RandomCrop.padding", "at most " + detail::text(most), padding);
  }

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_images(batch, "RandomCrop");
    const std::int64_t height = batch.data.size(2);
    const std::int64_t width = batch.data.size(3);
    // A shift by more than the height leaves nothing of an image: no more padding is needed.
    const std::int64_t above = std::min(padding.value, height);
    const std::int64_t beside = std::min(padding.value, width);
    const at::Tensor top = begin(key.fold(0), above);
    const at::Tensor left = begin(key.fold(1), beside);
    // The source of each pixel, as an index into the padded image in row-major order: [N, 1, H * W].
    const at::Tensor row = top.view({-1, 1, 1}) + at::arange(height, top.options()).view({1, -1, 1});
    const at::Tensor column = left.view({-1, 1, 1}) + at::arange(width, top.options()).view({1, 1, -1});
    const at::Tensor place = (row * (width + 2 * beside) + column).view({batch.size(), 1, height * width});
    const auto cut = [&](const at::Tensor& images, double fill) {
      const at::Tensor padded = at::constant_pad_nd(images, {beside, beside, above, above}, fill);
      return padded.flatten(2).gather(2, place.expand({-1, images.size(1), -1})).view(images.sizes());
    };
    return detail::moved(
        batch, "RandomCrop", [&](const at::Tensor& images) { return cut(images, 0); },
        [&](const at::Tensor& images) {
          detail::require_holds(images, target_fill, "RandomCrop.target_fill");
          return cut(images, target_fill);
        });
  }

 private:
  /// The first row or column of each window, [N] int64, in images padded by `padded` <= `padding`.
  [[nodiscard]] at::Tensor begin(const Key& key, std::int64_t padded) const {
    const at::Tensor drawn = key.below(2 * padding + 1);
    return padded == padding ? drawn : drawn.clamp(padding - padded, padding + padded) - (padding - padded);
  }
};

}  // namespace regimen::inline v0
