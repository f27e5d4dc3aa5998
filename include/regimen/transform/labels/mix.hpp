#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/where.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "regimen/detail/beta.hpp"
#include "regimen/detail/partners.hpp"
#include "regimen/source.hpp"
#include "regimen/transform.hpp"
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
  std::string who;

  void check() const {
    require_partners(partners, who + ".partners");
    require(classes >= 0 && classes != 1, who + ".classes", "at least 2, or 0 for targets that are floating", classes);
  }

  /// One for each sample, drawn by the key, through the transforms that the samples themselves went through.
  [[nodiscard]] Batch draw(const Batch& batch, const Key& key) const {
    Batch drawn = partners_for(batch, partners, key.fold(0), who + ".partners");
    for (std::size_t i = 0; i < augment.size(); ++i) {
      drawn = augment[i](drawn, key.fold(i + 1));
    }
    if (drawn.data.sizes() != batch.data.sizes()) {
      throw Error(who + ".augment must keep the shape of the data, " + described(batch.data) + ", not " +
                  described(drawn.data));
    }
    return drawn;
  }

  /// [N] double: beta draws for the share of samples that is mixed, 1 for the others.
  [[nodiscard]] static at::Tensor shares(const Key& key, const at::Tensor& alpha, const at::Tensor& mixed) {
    const at::Tensor drawn = beta_draws(key, alpha);
    return at::where(mixed, drawn, drawn * 0 + 1);
  }

  /// share [N] double of the samples' own targets, the rest of their partners'.
  [[nodiscard]] at::Tensor targets(const Batch& batch, const Batch& partner, const at::Tensor& share) const {
    const at::Tensor own = soft_target(batch, classes, who);
    const at::Tensor other = soft_target(partner, classes, who).to(own.scalar_type());
    if (own.sizes() != other.sizes()) {
      throw Error(who + ".partners must have targets like the batch's, " + described(own) + ", not " +
                  described(other));
    }
    const at::Tensor weight = weights_by_row(share.to(own.scalar_type()), own);
    return own * weight + other * (1 - weight);
  }
};

}  // namespace detail

/// Mixes each sample with a partner: lambda of its own input and target, 1 - lambda of the partner's (Zhang et al.
/// 2018, mixup), lambda from the beta distribution Beta(alpha, alpha), drawn for each sample, as is the partner.
///
/// The partner comes from the source that is given, often the training data themselves, all its samples equally likely,
/// and not from the batch: what a sample becomes does not depend on who is beside it. `augment` is what partners go
/// through first, keyed by the sample whose partner they are: give it what comes before Mixup in the phase.
/// data [N, ...] -> floating, bytes and other integers divided by 255; target [N] int64 -> [N, classes] float, floating
/// targets stay of their shape. In a recorded step `partners` must lie on the batch's device.
/// Throws Error unless `partners` is indexed and of the batch's kind, alpha in [0.01, 1000], probability in [0, 1].
///     phase.augment = {crop, flip, regimen::Mixup{.partners = train, .classes = 10, .augment = {crop, flip}}};
struct Mixup {
  Source partners{};
  std::int64_t classes = 0;  ///< 0 where targets are floating
  Knob alpha = 1;            ///< both shapes of the beta distribution; 1 is uniform, near 0 mixes little
  Knob probability = 1;      ///< share of the samples that are mixed at all
  std::vector<AnyTransform> augment{};

  static constexpr auto alpha_bounds = detail::beta_shape("Mixup.alpha");
  static constexpr auto probability_bounds = detail::Bounds::share("Mixup.probability");
  void check() const {
    mixing().check();
    alpha_bounds.check(alpha);
    probability_bounds.check(probability);
  }

  Batch operator()(const Batch& batch, const Key& key) const {
    const at::Tensor mixed = key.fold(0).chance(probability, probability_bounds);
    const at::Tensor share = detail::Mixing::shares(key.fold(1), key.now().tensor(alpha, alpha_bounds), mixed);
    const Batch partner = mixing().draw(batch, key.fold(2));
    const at::Tensor own = detail::unit_inputs(batch.data);
    const at::Tensor other = detail::unit_inputs(partner.data);
    const at::Tensor weight = detail::weights_by_row(share.to(own.scalar_type()), own);
    return detail::with_target(detail::with_data(batch, own * weight + other * (1 - weight)),
                               mixing().targets(batch, partner, share));
  }

 private:
  [[nodiscard]] detail::Mixing mixing() const { return {partners, augment, classes, "Mixup"}; }
};

/// Pastes a rectangle of a partner's image over each image, and mixes the targets by area (Yun et al. 2019, CutMix).
///
/// As in the authors' code: the rectangle has sqrt(1 - lambda) of the height and of the width, lambda from Beta(alpha,
/// alpha); its centre is any pixel; what lies outside is cut off, and the targets are mixed by the area that is left.
/// Drawn for each sample, as is the partner, from a source: see `Mixup`, also for `augment`.
/// data [N, C, H, W] of any type -> the same; target as Mixup's.
/// Throws Error as Mixup does, and for data that are no images.
///     phase.augment = {regimen::CutMix{.partners = train, .classes = 10, .probability = 0.5}};
struct CutMix {
  Source partners{};
  std::int64_t classes = 0;
  Knob alpha = 1;
  Knob probability = 1;
  std::vector<AnyTransform> augment{};

  static constexpr auto alpha_bounds = detail::beta_shape("CutMix.alpha");
  static constexpr auto probability_bounds = detail::Bounds::share("CutMix.probability");
  void check() const {
    mixing().check();
    alpha_bounds.check(alpha);
    probability_bounds.check(probability);
  }

  Batch operator()(const Batch& batch, const Key& key) const {
    if (batch.data.dim() != 4) {
      throw Error("CutMix takes images of [N, C, H, W], not " + detail::described(batch.data));
    }
    const at::Tensor mixed = key.fold(0).chance(probability, probability_bounds);
    const at::Tensor share = detail::Mixing::shares(key.fold(1), key.now().tensor(alpha, alpha_bounds), mixed);
    const Batch partner = mixing().draw(batch, key.fold(2));
    const at::Tensor side = (1 - share).sqrt();
    const at::Tensor rows = stretch(key.fold(3), side, batch.data.size(2));
    const at::Tensor columns = stretch(key.fold(4), side, batch.data.size(3));
    const at::Tensor inside = rows.unsqueeze(2).logical_and(columns.unsqueeze(1)).unsqueeze(1);  // [N, 1, H, W]
    const at::Tensor kept = 1 - inside.flatten(1).to(at::kDouble).mean(1);
    return detail::with_target(detail::with_data(batch, at::where(inside, partner.data, batch.data)),
                               mixing().targets(batch, partner, kept));
  }

 private:
  [[nodiscard]] detail::Mixing mixing() const { return {partners, augment, classes, "CutMix"}; }

  /// [N, length] bool: whether a row, or a column, is in the rectangle, whose side is this share of the length.
  static at::Tensor stretch(const Key& key, const at::Tensor& side, std::int64_t length) {
    const at::Tensor half = (side * length).to(at::kLong).div(2, "floor").unsqueeze(1);
    const at::Tensor centre = key.below(length).unsqueeze(1);
    const at::Tensor place = at::arange(length, centre.options()).unsqueeze(0);
    return (place >= centre - half).logical_and(place < centre + half);
  }
};

}  // namespace regimen::inline v0
