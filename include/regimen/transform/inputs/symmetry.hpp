#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

#include <cstdint>
#include <string>
#include <vector>

#include "regimen/key/key.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/transform/inputs/moved.hpp"
#include "regimen/transform/inputs/values.hpp"

namespace regimen::inline v0 {

namespace detail {

/// The batch with the chosen images, [N] bool, mirrored along dimension 2 or 3.
inline Batch mirrored(const Batch& batch, const std::string& who, const at::Tensor& chosen, std::int64_t dimension) {
  const at::Tensor by_image = chosen.view({-1, 1, 1, 1});
  return moved(batch, who,
               [&](const at::Tensor& images) { return at::where(by_image, images.flip({dimension}), images); });
}

}  // namespace detail

/// Mirrors an image left to right with the given probability. data [N, C, H, W] -> the same. Dense targets and further
/// tensors of the images' height and width are mirrored too (docs/inputs.md, "Image and mask"). Throws Error unless
/// probability is in [0, 1], and for a target or further tensor that seems to hold the images' pixels in a row or in
/// another resolution.
struct HorizontalFlip {
  Share<"HorizontalFlip.probability"> probability = 0.5;

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_images(batch, "HorizontalFlip");
    return detail::mirrored(batch, "HorizontalFlip", key.chance(probability), 3);
  }
};

/// Mirrors an image upside down with the given probability; dense targets and further tensors as `HorizontalFlip`. data
/// [N, C, H, W] -> the same. Throws Error as `HorizontalFlip` does.
struct VerticalFlip {
  Share<"VerticalFlip.probability"> probability = 0.5;

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_images(batch, "VerticalFlip");
    return detail::mirrored(batch, "VerticalFlip", key.chance(probability), 2);
  }
};

/// Rotates an image by 90, 180 or 270 degrees, all equally likely, with the given probability; at 0.75, the default,
/// all four orientations are equally likely. data [N, C, H, H] -> the same. Dense targets and further tensors of the
/// images' height and width are rotated too.
///
/// Images must be square, as a quarter turn changes the shape of others. A half turn, which does not, is a horizontal
/// and a vertical flip. Throws Error unless probability is in [0, 1], and for a target or further tensor that seems to
/// hold the images' pixels in a row or in another resolution.
struct Rotation90 {
  Share<"Rotation90.probability"> probability = 0.75;

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_images(batch, "Rotation90");
    const std::int64_t side = batch.data.size(2);
    if (batch.data.size(3) != side) {
      throw Error("Rotation90 takes images that are as high as wide, not " + detail::described(batch.data));
    }
    const at::Tensor quarters = key.fold(0).chance(probability) * (key.fold(1).below(3) + 1);
    // The source of each pixel, in row-major order, for 0 to 3 counterclockwise quarter turns: [4, H * H].
    const at::Tensor upright = at::arange(side * side, quarters.options()).view({side, side});
    std::vector<at::Tensor> turned;
    for (int turns = 0; turns < 4; ++turns) {
      turned.push_back(upright.rot90(turns, {0, 1}).flatten());
    }
    const at::Tensor place = at::stack(turned).index_select(0, quarters).unsqueeze(1);
    return detail::moved(batch, "Rotation90", [&](const at::Tensor& images) {
      return images.flatten(2).gather(2, place.expand({-1, images.size(1), -1})).view(images.sizes());
    });
  }
};

}  // namespace regimen::inline v0
