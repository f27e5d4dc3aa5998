#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/where.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "regimen/key.hpp"
#include "regimen/transform/inputs/values.hpp"

namespace regimen::inline v0 {

/// Covers a square of each image, all channels of it (DeVries and Taylor 2017, "Improved Regularization of
/// Convolutional Neural Networks with Cutout").
///
/// The square's centre (y, x) is any pixel of the image, all equally likely; it covers the rows y - side / 2 (rounded
/// down) to y - side / 2 + side - 1 and the columns likewise, as far as they are in the image, so that it may stick out
/// of the border: the authors found this to matter. (In their code a square of odd side is one pixel smaller; ours is
/// not.) For more than one square put several into a `chain`.
///
/// What is covered becomes `fill`, one entry or one a channel, of values in [0, 1]: for bytes and other integers 255
/// times it, rounded. The authors cover with 0 after normalization, which is the data's mean before it.
/// data [N, C, H, W] of any type -> the same. Throws Error unless side >= 1, fill has one entry, or one a channel, in
/// [0, 1], and probability, that of an image to be covered at all, is in [0, 1].
///     phase.augment = {regimen::Cutout{.side = 16, .fill = {0.4914, 0.4822, 0.4465}}};
struct Cutout {
  std::int64_t side = 8;
  std::vector<double> fill = {0};
  Knob probability = 1;

  static constexpr auto probability_bounds = detail::Bounds::share("Cutout.probability");
  void check() const {
    detail::require(side >= 1, "Cutout.side", "at least 1", side);
    detail::require(!fill.empty(), "Cutout.fill.size()", "at least 1", fill.size());
    for (const double value : fill) {
      detail::Bounds::share("Cutout.fill").check(value);
    }
    probability_bounds.check(probability);
  }

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_images(batch, "Cutout");
    const at::Tensor& data = batch.data;
    const at::Tensor rows = covered(key.fold(0), data.size(2)).unsqueeze(2);
    const at::Tensor columns = covered(key.fold(1), data.size(3)).unsqueeze(1);
    const at::Tensor at_all = key.fold(2).chance(probability, probability_bounds).view({-1, 1, 1});
    const at::Tensor square = rows.logical_and(columns).logical_and(at_all).unsqueeze(1);
    return detail::with_data(batch, at::where(square, fill_of(data), data));
  }

 private:
  /// [N, length] bool: the places that a square covers whose centre is any of them.
  [[nodiscard]] at::Tensor covered(const Key& key, std::int64_t length) const {
    const at::Tensor first = key.below(length) - side / 2;
    const at::Tensor from_first = at::arange(length, first.options()).unsqueeze(0) - first.unsqueeze(1);
    return (from_first >= 0).logical_and(from_first < side);
  }

  /// In the data's type: [1, C or 1, 1, 1].
  [[nodiscard]] at::Tensor fill_of(const at::Tensor& data) const {
    std::vector<double> values = fill;
    if (!data.is_floating_point()) {
      for (double& value : values) {
        value = std::round(255 * value);
      }
    }
    return detail::by_channel(values, data, data.options(), "Cutout.fill");
  }
};

}  // namespace regimen::inline v0
