#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "regimen/key/key.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/transform/inputs/values.hpp"

namespace regimen::inline v0 {

namespace detail {

/// A factor for each sample, uniform in [max(0, 1 - strength), 1 + strength) as in torchvision's ColorJitter; in a
/// shape [N, 1, ...] that broadcasts to `numbers`.
inline at::Tensor jitter_factor(const at::Tensor& numbers, const Key& key, const Knob& strength, const Bounds& bounds) {
  const at::Tensor spread = key.now().tensor(strength, bounds);
  const at::Tensor low = (1 - spread).clamp_min(0);
  const at::Tensor factor = key.uniform() * (1 + spread - low) + low;
  return by_sample(factor, numbers).to(numbers.scalar_type());
}

}  // namespace detail

/// Makes each image brighter or darker: multiplies it by a factor for each sample, uniform in [max(0, 1 - strength), 1
/// + strength). This is torchvision's `ColorJitter(brightness=strength)`, a blend with black.
///
/// data [N, ...] of any type -> the same. Works on raw values, before `Normalize`: floating numbers are clamped to [0,
/// 1], bytes and other integers to [0, 255] and rounded to the nearest (torchvision rounds down, which darkens by half
/// a grey level); bool counts as 0 and 1, rounded. Throws Error unless strength is at least 0 and finite.
struct Brightness {
  NotNegative<"Brightness.strength"> strength = 0.4;

  Batch operator()(const Batch& batch, const Key& key) const {
    const at::Tensor numbers = detail::as_floating(batch.data, "Brightness");
    const at::Tensor factor = detail::jitter_factor(numbers, key, strength, strength.bounds());
    return detail::with_data(batch, detail::as_in(batch.data, numbers * factor, "Brightness"));
  }
};

/// Changes each image's contrast: factor * image + (1 - factor) * the mean of its grey image, with a factor for each
/// sample, uniform in [max(0, 1 - strength), 1 + strength). This is torchvision's `ColorJitter(contrast=strength)`.
/// Grey is 0.2989 red + 0.587 green + 0.114 blue (ITU-R BT.601).
///
/// data [N, 1 or 3, H, W] of any type -> the same. Works on raw values, before `Normalize`: floating numbers are
/// clamped to [0, 1], bytes and other integers to [0, 255] and rounded to the nearest, bool to 0 and 1. (torchvision
/// rounds down, and also rounds the grey image before its mean.) Throws Error unless strength is at least 0 and finite.
struct Contrast {
  NotNegative<"Contrast.strength"> strength = 0.4;

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_images(batch, "Contrast");
    const at::Tensor numbers = detail::as_floating(batch.data, "Contrast");
    const at::Tensor factor = detail::jitter_factor(numbers, key, strength, strength.bounds());
    const at::Tensor blend = numbers * factor + mean_grey(batch.data) * (1 - factor);
    return detail::with_data(batch, detail::as_in(batch.data, blend, "Contrast"));
  }

 private:
  /// The mean of each grey image, [N, 1, 1, 1]. Summed in double, so that a mean of bytes does not depend on the order.
  static at::Tensor mean_grey(const at::Tensor& data) {
    const std::int64_t channels = data.size(1);
    if (channels != 1 && channels != 3) {
      throw Error("Contrast takes images of 1 or 3 channels, not " + detail::described(data));
    }
    at::Tensor mean = data.mean({2, 3}, /*keepdim=*/true, at::kDouble);
    if (channels == 3) {
      const at::TensorOptions options = mean.options();
      mean = (mean * detail::constants({0.2989, 0.587, 0.114}, options).view({1, 3, 1, 1})).sum({1}, /*keepdim=*/true);
    }
    return mean.to(data.is_floating_point() ? data.scalar_type() : at::kFloat);
  }
};

}  // namespace regimen::inline v0
