#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/where.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "regimen/base/integer.hpp"
#include "regimen/key/key.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/transform/inputs/moved.hpp"
#include "regimen/transform/inputs/values.hpp"

namespace regimen::inline v0 {

/// Covers a square of each image in all channels (DeVries and Taylor 2017, "Improved Regularization of Convolutional
/// Neural Networks with Cutout").
///
/// The square's centre (y, x) is any pixel of the image, all equally likely. It covers the rows y - side / 2 (rounded
/// down) to y - side / 2 + side - 1 and the columns likewise, cut off at the border: the authors found this to matter.
/// (In their code a square of odd side is one pixel smaller; ours is not.) For several squares use a `chain`.
///
/// Covered entries become `fill`, one number or one per channel, in [0, 1]; it is multiplied by 255 for bytes and other
/// integers, and rounded for these and for bool. The authors cover with 0 after normalization, that is, with the data's
/// mean before it. data [N, C, H, W] of any type -> the same. Further tensors stay: nothing moves.
///
/// A dense target is covered in the same square with `target_fill`, for instance the index that a loss ignores. If the
/// network is to predict what the square covers, leave the target unchanged by `DataOnly`.
/// `probability` is that of an image to be covered at all. Throws Error unless side >= 1, fill has one entry or one per
/// channel, all in [0, 1], and probability is in [0, 1]; also for a dense target without a `target_fill`, with one that
/// its type cannot hold, or of another height or width.
///     phase.augment = {regimen::Cutout{.side = 16, .fill = {0.4914, 0.4822, 0.4465}}};
struct Cutout {
  Integer side = 8;
  std::vector<double> fill = {0};
  Share<"Cutout.probability"> probability = 1;
  std::optional<double> target_fill{};

  void check() const {
    detail::require(side >= 1, "Cutout.side", "at least 1", side);
    detail::require(!fill.empty(), "Cutout.fill.size()", "at least 1", fill.size());
    for (const double value : fill) {
      Bounds::share("Cutout.fill").check(value);
    }
  }

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_images(batch, "Cutout");
    detail::require_real(batch.data, "Cutout");
    const bool dense = detail::has_dense_target(batch, "Cutout");
    if (dense && !target_fill) {
      throw Error("Cutout: the target is " + detail::described(batch.target) +
                  ", a value for each pixel: set target_fill to cover it too, or leave it by DataOnly{Cutout{...}}");
    }
    const at::Tensor& data = batch.data;
    const at::Tensor rows = covered(key.fold(0), data.size(2)).unsqueeze(2);
    const at::Tensor columns = covered(key.fold(1), data.size(3)).unsqueeze(1);
    const at::Tensor at_all = key.fold(2).chance(probability).view({-1, 1, 1});
    const at::Tensor square = rows.logical_and(columns).logical_and(at_all).unsqueeze(1);
    const Batch result = detail::with_data(batch, at::where(square, fill_of(data), data));
    return dense ? detail::with_target(result, covered_target(batch, square)) : result;
  }

 private:
  /// The rows or columns that a square around a random centre covers, [N, length] bool.
  [[nodiscard]] at::Tensor covered(const Key& key, std::int64_t length) const {
    const at::Tensor first = key.below(length) - side / 2;
    const at::Tensor from_first = at::arange(length, first.options()).unsqueeze(0) - first.unsqueeze(1);
    return (from_first >= 0).logical_and(from_first < side.value);
  }

  /// The target with the square [N, 1, H, W] (bool) covered.
  [[nodiscard]] at::Tensor covered_target(const Batch& batch, const at::Tensor& square) const {
    detail::require_holds(batch.target, *target_fill, "Cutout.target_fill");
    return detail::at_pixels(batch.data, batch.target,
                             [&](const at::Tensor& images) { return images.masked_fill(square, *target_fill); });
  }

  /// `fill` in the data's type, [1, C or 1, 1, 1].
  [[nodiscard]] at::Tensor fill_of(const at::Tensor& data) const {
    std::vector<double> values = fill;
    if (!data.is_floating_point()) {
      for (double& value : values) {
        value = std::round(detail::white_of(data, "Cutout") * value);
      }
    }
    return detail::by_channel(values, data, data.options(), "Cutout.fill");
  }
};

}  // namespace regimen::inline v0
