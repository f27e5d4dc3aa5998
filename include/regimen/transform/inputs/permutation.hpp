#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>

#include <cstdint>
#include <string>

#include "regimen/key/key.hpp"
#include "regimen/key/order.hpp"
#include "regimen/key/salts.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/transform/inputs/moved.hpp"

namespace regimen::inline v0 {

namespace detail {

/// The number of pixels of data [N, C, ...], or of entries of rows [N, D].
inline std::int64_t count_pixels(const Batch& batch, const std::string& who) {
  if (batch.data.dim() < 2) {
    throw Error(who + " takes data of [N, C, ...] or [N, D], not " + described(batch.data));
  }
  std::int64_t pixels = 1;
  for (const std::int64_t length : pixel_sizes(batch.data)) {
    pixels *= length;
  }
  return pixels;
}

}  // namespace detail

/// Permutes the pixels of all images by one permutation: "shuffled pixels" of Zhang et al. 2017 ("Understanding deep
/// learning requires rethinking generalization", section 2.1).
///
/// The permutation is a function of `seed` and the number of pixels; the key is not used. Training and test images are
/// therefore permuted alike, in `frozen`, `augment` or `preprocess`, and at every epoch. The channels of a pixel stay
/// together. data [N, C, ...] of any type, or [N, D] with each entry a pixel -> the same. Dense targets, [N, ...] or
/// [N, C, ...] with the data's pixels, and such further tensors are permuted too; beside rows [N, D] these are [N, 1,
/// D]. Throws Error for data of less than two dimensions, for a dense target with other pixels, and for a target or
/// further tensor of [N, D] or [N, C * D] numbers, which may or may not be the pixels' (see `DataOnly`).
///     phase.preprocess = {regimen::PixelPermutation{.seed = 1}, normalize};
struct PixelPermutation {
  std::uint64_t seed = 0;

  Batch operator()(const Batch& batch, const Key& key) const {
    const std::int64_t pixels = detail::count_pixels(batch, "PixelPermutation");
    const Key by_pixel(seed, at::arange(pixels, key.ids().options()));
    const at::Tensor order = detail::ranked(by_pixel.fold(detail::salt::pixels));
    return detail::moved(batch, "PixelPermutation", [&](const at::Tensor& images) {
      return images.flatten(2).index_select(2, order).view(images.sizes());
    });
  }
};

/// Permutes the pixels of each image by a random permutation of its own: "random pixels" of Zhang et al. 2017 (as
/// above). An image can then be told only by the multiset of its pixels.
///
/// All permutations are equally likely. The channels of a pixel stay together. data [N, C, ...] of any type, or [N, D]
/// with each entry a pixel -> the same. Tensors with a value for each pixel are permuted too, as by `PixelPermutation`.
/// Draws and sorts a word for each pixel: if it is frozen, `cached` saves that. Throws Error as `PixelPermutation`
/// does.
struct PixelPermutationPerSample {
  Batch operator()(const Batch& batch, const Key& key) const {
    const std::int64_t pixels = detail::count_pixels(batch, "PixelPermutationPerSample");
    const at::Tensor order = key.bits(pixels).argsort().unsqueeze(1);
    return detail::moved(batch, "PixelPermutationPerSample", [&](const at::Tensor& images) {
      return images.flatten(2).gather(2, order.expand({-1, images.size(1), -1})).view(images.sizes());
    });
  }
};

}  // namespace regimen::inline v0
