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

/// The number of pixels of data [N, C, ...], or of rows [N, D], whose entries are pixels.
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

/// Moves the pixels of every image by one and the same permutation: "shuffled pixels" of Zhang et al. 2017
/// ("Understanding deep learning requires rethinking generalization", section 2.1).
///
/// The permutation is drawn from `seed` and the number of pixels, and from nothing else: the key is not asked, so that
/// training and test images are shuffled alike wherever this stands, in `frozen`, `augment` or `preprocess`, and no
/// epoch has another. The channels of a pixel stay together. data [N, C, ...] of any type, or [N, D] with each entry a
/// pixel -> the same. Dense targets, [N, ...] or [N, C, ...] with the data's pixels, and such further tensors are moved
/// by the same permutation; beside rows [N, D] such are of [N, 1, D].
/// Throws Error for data of less than two dimensions, for a dense target of other pixels, and for a target or a further
/// tensor of [N, D], or [N, C * D], numbers, of which it is not known whether they are the pixels' (`DataOnly`).
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

/// Moves the pixels of each image by a permutation of its own: "random pixels" of Zhang et al. 2017 (as above). All
/// that is left to tell an image by is the multiset of its pixels.
///
/// Every permutation is as likely. The channels of a pixel stay together. data [N, C, ...] of any type, or [N, D] with
/// each entry a pixel -> the same. What has a value for each pixel moves with it, as with `PixelPermutation`. Draws a
/// word for each pixel and sorts them: `cached` spares that where it is frozen. Throws Error as `PixelPermutation`
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
