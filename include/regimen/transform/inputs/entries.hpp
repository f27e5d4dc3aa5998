#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>

#include <cstdint>
#include <tuple>

#include "regimen/key/key.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/transform/inputs/values.hpp"

namespace regimen::inline v0 {

namespace detail {

/// A random share of each sample's entries: with `exact`, int(share * entries) of them, else each with that
/// probability. The entries of a smaller share are among those of a larger one.
struct EntryChoice {
  const Knob& share;
  const Bounds& bounds;
  bool exact;

  /// Whether the number of entries is known on the host, so that their indices can be listed.
  [[nodiscard]] bool counted(const Moment& now) const { return exact && (now.slots == nullptr || share.constant()); }

  /// Indices of the chosen entries, [N, int(share * entries)] int64, in no order; only if `counted`.
  [[nodiscard]] at::Tensor places(std::int64_t entries, const Key& key) const {
    const auto count = static_cast<std::int64_t>(key.now()(share, bounds) * static_cast<double>(entries));
    return std::get<1>(key.bits(entries).topk(count, 1, /*largest=*/false, /*sorted=*/false));
  }

  /// The chosen entries as a mask, [N, entries] bool.
  [[nodiscard]] at::Tensor mask(std::int64_t entries, const Key& key) const {
    if (!exact) {
      return key.uniform({entries}) < key.now().tensor(share, bounds);
    }
    if (!counted(key.now())) {
      return smallest(key.bits(entries), key.now().tensor(share, bounds));
    }
    const at::Tensor chosen = places(entries, key);
    return at::zeros({key.size(), entries}, chosen.options().dtype(at::kBool)).scatter_(1, chosen, true);
  }

 private:
  /// A mask of the share of smallest words in each row: words [N, entries], share 0-d on their device -> [N, entries]
  /// bool. Their number is not known on the host, so the smallest word outside of the share is the limit.
  static at::Tensor smallest(const at::Tensor& words, const at::Tensor& share) {
    const std::int64_t entries = words.size(1);
    const at::Tensor count = (share * entries).to(at::kLong);
    const at::Tensor sorted = std::get<0>(words.sort(1));
    const at::Tensor limit = sorted.index_select(1, count.clamp_max(entries - 1).view({1}));
    return (words < limit).logical_or(count == entries);
  }
};

}  // namespace detail

/// Sets a share of each image's entries to 0, each channel of a pixel on its own (Liu et al. 2020, "Bad Global Minima
/// Exist and SGD Can Reach Them").
///
/// With `exact`, each image loses int(fraction * entries) of them, else each entry with probability `fraction`. data
/// [N, ...] of any type -> the same; targets are shared. Works on raw values: a lost entry is a raw 0. Throws Error
/// unless fraction is in [0, 1].
struct ZeroPixels {
  Share<"ZeroPixels.fraction"> fraction = 0.1;
  bool exact = true;

  Batch operator()(const Batch& batch, const Key& key) const {
    const detail::EntryChoice lost{fraction, fraction.bounds(), exact};
    const at::Tensor flat = batch.data.flatten(1);
    // Indices are used if possible: a mask of all entries costs more.
    const at::Tensor rest = lost.counted(key.now()) ? flat.scatter(1, lost.places(flat.size(1), key), 0)
                                                    : flat.masked_fill(lost.mask(flat.size(1), key), 0);
    return detail::with_data(batch, rest.view_as(batch.data));
  }
};

/// Makes a share of each image's entries white or black, each channel of a pixel on its own: salt and pepper, or
/// impulse noise (Gonzalez and Woods, "Digital Image Processing", section 5.2).
///
/// With `exact`, int(fraction * entries) of each image's entries are changed, else each with probability `fraction`. A
/// changed entry becomes white with probability `salt`, else black. Entries that change at a smaller fraction change in
/// the same way at a larger one. data [N, ...] of any type -> the same: black is 0; white is 1 for floating numbers,
/// 255 for bytes and other integers, true for bool. Use it before `Normalize`. Throws Error unless fraction and salt
/// are in [0, 1].
struct SaltAndPepper {
  Share<"SaltAndPepper.fraction"> fraction = 0.1;
  Share<"SaltAndPepper.salt"> salt = 0.5;
  bool exact = true;

  Batch operator()(const Batch& batch, const Key& key) const {
    const at::Tensor flat = batch.data.flatten(1);
    const std::int64_t entries = flat.size(1);
    const at::Tensor hit = detail::EntryChoice{fraction, fraction.bounds(), exact}.mask(entries, key.fold(0));
    const at::Tensor whitened = key.fold(1).uniform({entries}) < key.now().tensor(salt);
    const at::Tensor peppered = flat.masked_fill(hit, 0);
    const at::Tensor both =
        peppered.masked_fill(hit.logical_and(whitened), detail::white_of(batch.data, "SaltAndPepper"));
    return detail::with_data(batch, both.view_as(batch.data));
  }
};

}  // namespace regimen::inline v0
