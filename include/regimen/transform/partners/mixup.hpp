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
  Source partners{};    ///< empty: the data that are read
  Integer classes = 0;  ///< 0 where targets are floating
  Bounded<detail::BetaShape, "Mixup.alpha"> alpha =
      1;  ///< both shapes of the beta distribution; 1 is uniform, near 0 mixes little
  Share<"Mixup.probability"> probability = 1;  ///< share of the samples that are mixed at all
  std::vector<AnyTransform> augment{};
  bool allow_other_labels = false;  ///< whether `partners` may have other targets than the data for the same samples

  void check() const { mixing().check(); }
  void check_data_so_far(const detail::DataSoFar& data, const std::string& who) const {
    mixing().check_data(data, who);
  }

  Batch operator()(const Batch& batch, const Key& key) const {
    const at::Tensor mixed = key.fold(0).chance(probability);
    const at::Tensor share = detail::Mixing::shares(key.fold(1), key.now().tensor(alpha), mixed);
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

}  // namespace regimen::inline v0
