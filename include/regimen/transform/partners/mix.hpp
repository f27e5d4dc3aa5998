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
#include "regimen/transform/detail/partners.hpp"
#include "regimen/transform/detail/shared_samples.hpp"
#include "regimen/transform/in_turn.hpp"
#include "regimen/transform/inputs/moved.hpp"
#include "regimen/transform/inputs/values.hpp"
#include "regimen/transform/labels/checks.hpp"

namespace regimen::inline v0 {

namespace detail {

/// Where the beta sampler is tested.
inline constexpr Bounds beta_shape(std::string_view field) {
  return {field, 0.01, 1000, "in [0.01, 1000]"};
}

/// What Mixup and CutMix have in common: a partner for each sample, and how much of each.
struct Mixing {
  const Source& partners;
  const std::vector<AnyTransform>& augment;
  std::int64_t classes;
  bool allow_other_labels;
  std::string who;

  void check() const {
    if (partners.defined()) {
      require_partners(partners, who + ".partners");
    }
    require(classes >= 0 && classes != 1, who + ".classes", "at least 2, or 0 for targets that are floating", classes);
  }

  /// Labels of partners are mixed into those of the data. Where the data's were made wrong on purpose, partners with
  /// the true ones would show the network what it is not to know. Without partners of their own and without `augment`
  /// they are the data as the transforms before this one leave them, and have the labels of those by construction.
  void check_data(const DataSoFar& data, const std::string& part) const {
    if (!partners.defined()) {
      require_choosable(data.read, part + ": " + who + ".partners");
    }
    const Source& drawn = partners.defined() ? partners : data.read;
    check_in_turn(augment, {drawn, drawn}, [&](std::size_t /*i*/) { return part + ": " + who + ".augment"; });
    if (!allow_other_labels && (partners.defined() || !augment.empty())) {
      require_same_labels(drawn, data, part);
    }
  }

  /// One for each sample, drawn by the key, through the transforms that the samples themselves went through.
  [[nodiscard]] Batch draw(const Batch& batch, const Key& key) const {
    const Source& source = partners.defined() ? partners : data_of(key.now());
    Batch drawn = partners_for(batch, source, key.fold(0));
    if (augment.empty()) {
      require_like(drawn, batch, who + ".partners");
      return drawn;
    }
    drawn = in_turn(augment, augment.size(), drawn, key.on(source), /*first_fold=*/1);
    if (drawn.data.sizes() != batch.data.sizes()) {
      throw Error(who + ".augment must keep the shape of the data, " + described(batch.data) + ", not " +
                  described(drawn.data));
    }
    require_like(drawn, batch, who + ".partners, after " + who + ".augment,");
    return drawn;
  }

  /// [N] double: beta draws for the share of samples that is mixed, 1 for the others.
  [[nodiscard]] static at::Tensor shares(const Key& key, const at::Tensor& alpha, const at::Tensor& mixed) {
    const at::Tensor drawn = beta_draws(key, alpha);
    return at::where(mixed, drawn, drawn * 0 + 1);
  }

  /// share [N] double of the samples' own targets, the rest of their partners'; none where there are none.
  [[nodiscard]] at::Tensor targets(const Batch& batch, const Batch& partner, const at::Tensor& share) const {
    if (!batch.target.defined()) {
      return {};
    }
    if (batch.target.dim() > 2 && !batch.target.is_floating_point()) {
      throw Error(who + ": the target is " + described(batch.target) +
                  ", and labels of pixels cannot be mixed: CutMix pastes them, and a floating target, the shares of "
                  "each class as [N, C, H, W], is mixed");
    }
    const at::Tensor own = soft_target(batch, classes, who);
    const at::Tensor other = soft_target(partner, classes, who).to(own.scalar_type());
    if (own.sizes() != other.sizes()) {
      throw Error(who + ".partners must have targets like the batch's, " + described(own) + ", not " +
                  described(other));
    }
    const at::Tensor weight = weights_by_row(share.to(own.scalar_type()), own);
    return own * weight + other * (1 - weight);
  }

 private:
  /// What an empty `partners` stands for: the data as the transforms before this one leave them; or, where `augment`
  /// says what partners go through instead, as they are read.
  [[nodiscard]] const Source& data_of(const Now& now) const {
    if (now.data == nullptr) {
      throw Error(who + ".partners must be set in a loop of your own: name the source that its batches come from");
    }
    require_choosable(*now.data, who + ".partners");
    return augment.empty() && now.so_far != nullptr ? *now.so_far : *now.data;
  }

  /// drawn: what partners are drawn from, before their `augment`. Values of pixels are compared before all transforms:
  /// these move them, by draws of their own.
  void require_same_labels(const Source& drawn, const DataSoFar& data, const std::string& part) const {
    if (!data.read.indexed() || *data.read.size() == 0) {
      return;
    }
    const GeneratorGuard generators(at::kCPU);  // a transform may draw from them, which it should not
    const Batch first = data.read.get(at::zeros({1}, at::kLong));
    const bool dense = first.target.defined() && (first.target.dim() > 2 || has_pixels_of(first.data, first.target));
    const Source theirs = dense ? drawn : looked_at(drawn, augment, augment.size());
    const Source& own = dense ? data.read : data.so_far;
    if (theirs.same_as(own)) {
      return;
    }
    const SharedSamples shared = drawn.same_as(data.read) ? shared_at_places(own, theirs) : shared_samples(own, theirs);
    if (shared.with_other_targets == 0) {
      return;
    }
    const std::string found = part + ": of the " + text(shared.samples) + " samples that " + who + ".partners";
    const std::string leak = text(shared.with_other_targets) + " have another target there";
    if (!partners.defined()) {
      throw Error(found + " are drawn from, " + leak + ", because " + who +
                  ".augment is not what changed the targets before this transform: leave augment empty, and partners "
                  "go through all that comes before it, by the same draws; or set allow_other_labels");
    }
    throw Error(found + " share with the data, by their ids or origins, " + leak +
                ", which would leak into the data's: leave partners empty, for the data themselves, or name the source "
                "with the data's targets; or set allow_other_labels");
  }

  static void require_choosable(const Source& data, const std::string& field) {
    if (!data.indexed()) {
      throw Error(field +
                  " must be set where the data are a stream, of which no sample can be chosen: name an "
                  "indexed source with the data's targets");
    }
    require_partners(data, field);
  }
};

}  // namespace detail

/// Mixes each sample with a partner: lambda of its own input and target, 1 - lambda of the partner's (Zhang et al.
/// 2018, mixup), lambda from the beta distribution Beta(alpha, alpha), drawn for each sample, as is the partner.
///
/// The partner is any sample, all equally likely, of the data that Mixup acts on, and not of the batch: what a sample
/// becomes does not depend on who is beside it. Those data are the phase's own, with the damage that they have; under
/// `frozen(source, Mixup{...}, seed)` the source. A partner goes through what comes before Mixup in the phase's list or
/// in a `chain`, by the draws that it is shown with itself: it brings the label that the network is told for it.
/// `partners` names others, and must be set in a loop of your own and where the data are a stream. `augment` is what
/// partners go through instead, keyed by the sample whose partner they are: for named ones, to which nothing else
/// happens.
///
/// data [N, ...] -> floating, bytes and other integers divided by 255; target [N] int64 -> [N, classes] float, floating
/// targets stay of their shape; further tensors stay as they are. In a recorded step partners must lie on the batch's
/// device. Throws Error unless partners are indexed and of the batch's kind, alpha in [0.01, 1000], probability in
/// [0, 1]; for labels of pixels, [N, H, W] int64; and, before the first step, for `partners` that give other targets to
/// samples which they share with the data, by their ids or origins, as these are at the beginning; so does an `augment`
/// that leaves out what changed the targets before.
///     phase.augment = {crop, flip, regimen::Mixup{.classes = 10}};
struct Mixup {
  Source partners{};     ///< empty: the data that are read
  Integer classes = 0;   ///< 0 where targets are floating
  Knob alpha = 1;        ///< both shapes of the beta distribution; 1 is uniform, near 0 mixes little
  Knob probability = 1;  ///< share of the samples that are mixed at all
  std::vector<AnyTransform> augment{};
  bool allow_other_labels = false;  ///< whether `partners` may have other targets than the data for the same samples

  static constexpr auto alpha_bounds = detail::beta_shape("Mixup.alpha");
  static constexpr auto probability_bounds = detail::Bounds::share("Mixup.probability");
  void check() const {
    mixing().check();
    alpha_bounds.check(alpha);
    probability_bounds.check(probability);
  }
  void check_data_so_far(const detail::DataSoFar& data, const std::string& who) const {
    mixing().check_data(data, who);
  }

  Batch operator()(const Batch& batch, const Key& key) const {
    const at::Tensor mixed = key.fold(0).chance(probability, probability_bounds);
    const at::Tensor share = detail::Mixing::shares(key.fold(1), key.now().tensor(alpha, alpha_bounds), mixed);
    const Batch partner = mixing().draw(batch, key.fold(2));
    const at::Tensor own = detail::unit_inputs(batch.data, "Mixup");
    const at::Tensor other = detail::unit_inputs(partner.data, "Mixup");
    const at::Tensor weight = detail::weights_by_row(share.to(own.scalar_type()), own);
    return detail::with_target(detail::with_data(batch, own * weight + other * (1 - weight)),
                               mixing().targets(batch, partner, share));
  }

 private:
  [[nodiscard]] detail::Mixing mixing() const { return {partners, augment, classes, allow_other_labels, "Mixup"}; }
};

/// Pastes a rectangle of a partner's image over each image, and mixes the targets by area (Yun et al. 2019, CutMix).
///
/// As in the authors' code: the rectangle has sqrt(1 - lambda) of the height and of the width, lambda from Beta(alpha,
/// alpha); its centre is any pixel; what lies outside is cut off, and the targets are mixed by the area that is left.
/// Drawn for each sample, as is the partner: see `Mixup`, also for `partners` and `augment`.
///
/// data [N, C, H, W] of any type -> the same; labels, soft labels and numbers as Mixup's. Dense targets and further
/// tensors of the images' height and width are not mixed: the partner's are pasted in the same rectangle.
/// Throws Error as Mixup does, for data that are no images, and for a dense target of another height or width.
///     phase.augment = {regimen::CutMix{.classes = 10, .probability = 0.5}};
struct CutMix {
  Source partners{};    ///< empty: the data that are read
  Integer classes = 0;  ///< 0 where targets are dense; floating ones of so many numbers are shares of classes
  Knob alpha = 1;
  Knob probability = 1;
  std::vector<AnyTransform> augment{};
  bool allow_other_labels = false;  ///< whether `partners` may have other targets than the data for the same samples

  static constexpr auto alpha_bounds = detail::beta_shape("CutMix.alpha");
  static constexpr auto probability_bounds = detail::Bounds::share("CutMix.probability");
  void check() const {
    mixing().check();
    alpha_bounds.check(alpha);
    probability_bounds.check(probability);
  }
  void check_data_so_far(const detail::DataSoFar& data, const std::string& who) const {
    mixing().check_data(data, who);
  }

  Batch operator()(const Batch& batch, const Key& key) const {
    detail::require_images(batch, "CutMix");
    const bool dense = !are_shares(batch.target) && detail::has_dense_target(batch, "CutMix");
    detail::require_extra_belongs(batch, "CutMix");
    const at::Tensor mixed = key.fold(0).chance(probability, probability_bounds);
    const at::Tensor share = detail::Mixing::shares(key.fold(1), key.now().tensor(alpha, alpha_bounds), mixed);
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

  /// Whether a floating target is known for shares of classes, as many as there are.
  [[nodiscard]] bool are_shares(const at::Tensor& target) const {
    return target.defined() && target.dim() == 2 && target.is_floating_point() && target.size(1) == classes;
  }

  /// A tensor that has pixels, with the partner's inside of the rectangle, [N, 1, H, W] bool.
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

  /// [N, length] bool: whether a row, or a column, is in the rectangle, whose side is this share of the length.
  static at::Tensor stretch(const Key& key, const at::Tensor& side, std::int64_t length) {
    const at::Tensor half = (side * length).to(at::kLong).div(2, "floor").unsqueeze(1);
    const at::Tensor centre = key.below(length).unsqueeze(1);
    const at::Tensor place = at::arange(length, centre.options()).unsqueeze(0);
    return (place >= centre - half).logical_and(place < centre + half);
  }
};

}  // namespace regimen::inline v0
