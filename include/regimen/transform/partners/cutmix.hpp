#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "regimen/base/integer.hpp"
#include "regimen/key/generator_guard.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/source/source.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/transform/concept.hpp"
#include "regimen/transform/detail/beta.hpp"
#include "regimen/transform/detail/mixing.hpp"
#include "regimen/transform/detail/partners.hpp"
#include "regimen/transform/detail/shared_samples.hpp"
#include "regimen/transform/in_turn.hpp"
#include "regimen/transform/inputs/moved.hpp"
#include "regimen/transform/inputs/values.hpp"
#include "regimen/transform/labels/checks.hpp"

namespace regimen::inline v0 {

/// Pastes a rectangle of a partner's image over each image, and mixes the targets by area (Yun et al. 2019, CutMix).
///
/// As in the authors' code, the rectangle has sqrt(1 - lambda) of the height and of the width, with lambda from
/// Beta(alpha, alpha). Its centre is any pixel; it is cut off at the border, and targets are mixed by the area that is
/// left. Lambda, rectangle and partner are drawn for each sample; for partners, `partners` and `augment` see `Mixup`.
///
/// data [N, C, H, W] of any type -> the same; labels, soft labels and numbers as by Mixup. Dense targets and further
/// tensors of the images' height and width are not mixed: the partner's are pasted in the same rectangle.
/// Throws Error as Mixup does, for data that are not images, and for a dense target of another height or width.
///     phase.augment = {regimen::CutMix{.classes = 10, .probability = 0.5}};
struct CutMix {
  Source partners{};    ///< source of partners; undefined: the phase's own data
  Integer classes = 0;  ///< number of classes, 0 for dense targets; floating targets [N, classes] are shares of classes
  Bounded<detail::BetaShape, "CutMix.alpha"> alpha = 1;
  Share<"CutMix.probability"> probability = 1;
  std::vector<AnyTransform> augment{};
  bool allow_other_labels = false;  ///< accept partners with other targets than the data have for the same samples

  void check() const { mixing().check(); }
  void check_data_so_far(const detail::DataSoFar& data, const std::string& who) const {
    mixing().check_data(data, who);
  }

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_images(batch, "CutMix");
    const bool dense = !are_shares(batch.target) && detail::has_dense_target(batch, "CutMix");
    detail::require_extra_belongs(batch, "CutMix");
    const at::Tensor mixed = key.fold(0).chance(probability);
    const at::Tensor share = detail::Mixing::shares(key.fold(1), key.now().tensor(alpha), mixed);
    const Batch partner = mixing().draw(batch, key.fold(2));
    const at::Tensor side = (1 - share).sqrt();
    const at::Tensor rows = stretch(key.fold(3), side, batch.data.size(2));
    const at::Tensor columns = stretch(key.fold(4), side, batch.data.size(3));
    const at::Tensor inside = rows.unsqueeze(2).logical_and(columns.unsqueeze(1)).unsqueeze(1);  // [N, 1, H, W]
    Batch result = detail::with_data(batch, at::where(inside, partner.data, batch.data));
    if (dense) {
      result.target = pasted(batch, inside, batch.target, partner.target, "targets");
    } else {
      const at::Tensor kept = 1 - inside.flatten(1).to(at::kDouble).mean(1);
      result.target = mixing().targets(batch, partner, kept);
    }
    for (auto& [name, tensor] : result.extra) {
      if (detail::has_pixels_of(batch.data, tensor)) {
        const auto found = partner.extra.find(name);
        const at::Tensor other = found == partner.extra.end() ? at::Tensor() : found->second;
        tensor = pasted(batch, inside, tensor, other, "extra[\"" + name + "\"]");
      }
    }
    return result;
  }

 private:
  [[nodiscard]] detail::Mixing mixing() const { return {partners, augment, classes, allow_other_labels, "CutMix"}; }

  /// Whether a floating target is known to hold shares of `classes` classes.
  [[nodiscard]] bool are_shares(const at::Tensor& target) const {
    return target.defined() && target.dim() == 2 && target.is_floating_point() && target.size(1) == classes;
  }

  /// A tensor that has pixels, with the partner's pixels where `inside`, [N, 1, H, W] bool.
  static at::Tensor pasted(const Batch& batch, const at::Tensor& inside, const at::Tensor& own, const at::Tensor& other,
                           const std::string& what) {
    if (!other.defined() || other.scalar_type() != own.scalar_type() || other.sizes() != own.sizes()) {
      throw Error("CutMix.partners must have " + what + " like the batch's, " + detail::described(own) + ", not " +
                  detail::described(other));
    }
    return detail::at_pixels(batch.data, own, [&](const at::Tensor& images) {
      return at::where(inside, other.reshape(images.sizes()), images);
    });
  }

  /// Whether each row (or column) is in the rectangle, [N, length] bool; side: the rectangle's share of the length.
  static at::Tensor stretch(const Key& key, const at::Tensor& side, std::int64_t length) {
    const at::Tensor half = (side * length).to(at::kLong).div(2, "floor").unsqueeze(1);
    const at::Tensor centre = key.below(length).unsqueeze(1);
    const at::Tensor place = at::arange(length, centre.options()).unsqueeze(0);
    return (place >= centre - half).logical_and(place < centre + half);
  }
};

}  // namespace regimen::inline v0
