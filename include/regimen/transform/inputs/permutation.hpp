#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>

#include <cstdint>

#include "regimen/key.hpp"
#include "regimen/transform/inputs/values.hpp"

namespace regimen::inline v0 {

namespace detail {

namespace salt {

inline constexpr std::uint64_t pixels = 0x706978656C73;

}  // namespace salt

/// data [N, C, ...] as [N, C, places]; rows [N, D] as [N, 1, D].
inline at::Tensor as_places(const Batch& batch, const char* who) {
  if (batch.data.dim() < 2) {
    throw Error(std::string(who) + " takes data of [N, C, ...] or [N, D], not " + described(batch.data));
  }
  return batch.data.dim() == 2 ? batch.data.unsqueeze(1) : batch.data.flatten(2);
}

}  // namespace detail

/// Moves the pixels of every image by one and the same permutation: "shuffled pixels" of Zhang et al. 2017
/// ("Understanding deep learning requires rethinking generalization", section 2.1).
///
/// The permutation is drawn from `seed` and the number of pixels, and from nothing else: the key is not asked, so that
/// training and test images are shuffled alike wherever this stands, in `frozen`, `augment` or `preprocess`, and no
/// epoch has another. The channels of a pixel stay together. data [N, C, ...] of any type, or [N, D] with each entry a
/// pixel -> the same. Throws Error for data of less than two dimensions.
///     phase.preprocess = {regimen::PixelPermutation{.seed = 1}, normalize};
struct PixelPermutation {
  std::uint64_t seed = 0;

  Batch operator()(const Batch& batch, const Key& key) const {
    const at::Tensor pixels = detail::as_places(batch, "PixelPermutation");
    const at::Tensor places = at::arange(pixels.size(2), key.ids().options());
    const at::Tensor order = detail::ranked(Key(seed, places).fold(detail::salt::pixels));
    return detail::with_data(batch, pixels.index_select(2, order).view(batch.data.sizes()));
  }
};

/// Moves the pixels of each image by a permutation of its own: "random pixels" of Zhang et al. 2017 (as above). All
/// that is left to tell an image by is the multiset of its pixels.
///
/// Every permutation is as likely. The channels of a pixel stay together. data [N, C, ...] of any type, or [N, D] with
/// each entry a pixel -> the same. Draws a word for each pixel and sorts them: `cached` spares that where it is frozen.
/// Throws Error for data of less than two dimensions.
struct PixelPermutationPerSample {
  Batch operator()(const Batch& batch, const Key& key) const {
    const at::Tensor pixels = detail::as_places(batch, "PixelPermutationPerSample");
    const at::Tensor order = key.bits(pixels.size(2)).argsort().unsqueeze(1);
    const at::Tensor moved = pixels.gather(2, order.expand({-1, pixels.size(1), -1}));
    return detail::with_data(batch, moved.view(batch.data.sizes()));
  }
};

}  // namespace regimen::inline v0
