#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>

#include <vector>

#include "regimen/transform.hpp"

namespace regimen::inline v0 {

namespace detail {

inline void require_images(const Batch& batch, const std::string& who) {
  if (batch.data.dim() != 4) {
    throw Error(who + " takes images of [N, C, H, W], not " + described(batch.data));
  }
}

/// [values.size()]; on another device without a copy from the CPU, for which the host would wait.
inline at::Tensor constants(const std::vector<double>& values, const at::TensorOptions& options) {
  if (options.device().is_cpu()) {
    return at::tensor(values, options);
  }
  std::vector<at::Tensor> each;
  for (const double value : values) {
    each.push_back(at::full({1}, value, options));
  }
  return at::cat(each);
}

}  // namespace detail

/// Sets a share of each image's entries to 0, every channel of a pixel on its own, as the authors of "Bad Global
/// Minima Exist" do.
///
/// With `exact`, each image loses int(fraction * entries) of them; without, each entry is lost with probability
/// `fraction`. data [N, ...] of any type -> the same; targets are shared. Works on raw values: a lost entry is a raw 0.
/// Throws Error unless fraction is in [0, 1].
struct ZeroPixels {
  Knob fraction = 0.1;
  bool exact = true;

  static constexpr auto fraction_bounds = detail::Bounds::share("ZeroPixels.fraction");
  void check() const { fraction_bounds.check(fraction); }

  Batch operator()(const Batch& batch, const Key& key) const {
    const Now& now = key.now();
    const at::Tensor flat = batch.data.flatten(1);
    const std::int64_t entries = flat.size(1);
    if (!exact) {
      const at::Tensor lost = key.uniform({entries}) < now.tensor(fraction, fraction_bounds);
      return detail::with_data(batch, flat.masked_fill(lost, 0).view_as(batch.data));
    }
    if (now.slots != nullptr && !fraction.constant()) {
      const at::Tensor lost = smallest(key.bits(entries), now.tensor(fraction, fraction_bounds));
      return detail::with_data(batch, flat.masked_fill(lost, 0).view_as(batch.data));
    }
    const auto count = static_cast<std::int64_t>(now(fraction, fraction_bounds) * static_cast<double>(entries));
    const at::Tensor lost = std::get<1>(key.bits(entries).topk(count, 1, /*largest=*/false, /*sorted=*/false));
    return detail::with_data(batch, flat.scatter(1, lost, 0).view_as(batch.data));
  }

 private:
  /// words [N, entries], share 0-d on their device -> [N, entries] bool: that share of them, the smallest. Their number
  /// is not known on the host, so the first that is not among them says which they are.
  static at::Tensor smallest(const at::Tensor& words, const at::Tensor& share) {
    const std::int64_t entries = words.size(1);
    const at::Tensor count = (share * entries).to(at::kLong);
    const at::Tensor sorted = std::get<0>(words.sort(1));
    const at::Tensor limit = sorted.index_select(1, count.clamp_max(entries - 1).view({1}));
    return (words < limit).logical_or(count == entries);
  }
};

/// Adds normal noise of mean 0 to every entry.
/// data [N, ...] floating -> the same. Bytes and other integers are first divided by 255, as `Normalize` does, and
/// become float: stddev is then of values in [0, 1]. Throws Error unless stddev is at least 0 and finite.
struct GaussianNoise {
  Knob stddev = 0.1;

  static constexpr auto stddev_bounds = detail::Bounds::not_negative("GaussianNoise.stddev");
  void check() const { stddev_bounds.check(stddev); }

  Batch operator()(const Batch& batch, const Key& key) const {
    const bool raw = !batch.data.is_floating_point();
    const at::Tensor values = raw ? batch.data.to(at::kFloat) / 255 : batch.data;
    const at::Tensor noise = key.normal(batch.data.sizes().slice(1)) * key.now().tensor(stddev, stddev_bounds);
    return detail::with_data(batch, values + noise.to(values.scalar_type()));
  }
};

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

/// Mirrors an image left to right with the given probability. data [N, C, H, W] -> the same.
/// Throws Error unless probability is in [0, 1].
struct HorizontalFlip {
  Knob probability = 0.5;

  static constexpr auto probability_bounds = detail::Bounds::share("HorizontalFlip.probability");
  void check() const { probability_bounds.check(probability); }

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_images(batch, "HorizontalFlip");
    const at::Tensor mirrored = key.chance(probability, probability_bounds).view({-1, 1, 1, 1});
    return detail::with_data(batch, at::where(mirrored, batch.data.flip({3}), batch.data));
  }
};

/// (data - mean) / stddev for each channel. Bytes and other integers are first divided by 255, so mean and stddev are
/// of values in [0, 1]. data [N, C, ...] -> float. Belongs at the end, after everything that works on raw values.
/// Throws Error unless mean and stddev have one entry, or one a channel, and every stddev is above 0.
///     phase.preprocess = {regimen::Normalize{.mean = {0.2860}, .stddev = {0.3530}}};
struct Normalize {
  std::vector<double> mean;
  std::vector<double> stddev;

  void check() const {
    detail::require(!mean.empty(), "Normalize.mean.size()", "at least 1", mean.size());
    detail::require(stddev.size() == mean.size(), "Normalize.stddev.size()", "that of mean", stddev.size());
    for (const double value : stddev) {
      detail::require(value > 0, "Normalize.stddev", "above 0", value);
    }
  }

  Batch operator()(const Batch& batch, const Key& /*key*/) const {
    const bool raw = !batch.data.is_floating_point();
    const double scale = raw ? 255 : 1;
    const at::Tensor values = raw ? batch.data.to(at::kFloat) : batch.data;
    if (mean.size() == 1) {
      return detail::with_data(batch, (values - mean[0] * scale) * (1 / (stddev[0] * scale)));
    }
    const std::int64_t channels = batch.data.dim() >= 2 ? batch.data.size(1) : 1;
    detail::require(channels == static_cast<std::int64_t>(mean.size()), "Normalize.mean.size()",
                    "1 or the number of channels, " + detail::text(channels), mean.size());
    std::vector<std::int64_t> by_channel(static_cast<std::size_t>(batch.data.dim()), 1);
    by_channel[1] = static_cast<std::int64_t>(mean.size());
    const at::Tensor shift = detail::constants(mean, values.options()).view(by_channel) * scale;
    const at::Tensor spread = detail::constants(stddev, values.options()).view(by_channel) * scale;
    return detail::with_data(batch, (values - shift) / spread);
  }
};

}  // namespace regimen::inline v0
