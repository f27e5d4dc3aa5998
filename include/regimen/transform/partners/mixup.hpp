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

/// Mixes each sample with a partner: lambda of its own input and target and 1 - lambda of the partner's (Zhang et al.
/// 2018, mixup). Lambda is drawn for each sample from the beta distribution Beta(alpha, alpha), and so is the partner.
///
/// The partner is a random sample, all equally likely, of all data and not of the batch: the result does not depend on
/// the other samples of the batch. The data are the phase's own, with their damage, or, under `frozen(source,
/// Mixup{...}, seed)`, the source. A partner goes through the transforms before Mixup in the phase's list or in a
/// `chain`, by the draws that it gets as a sample itself: it has the label that the network sees for it. `partners`
/// names another source; it must be set in a loop of your own and if the data are a stream. `augment` replaces the
/// transforms before Mixup for partners, keyed by the sample whose partner they are: for a named source, to which
/// nothing else is applied.
///
/// data [N, ...] -> floating, bytes and other integers divided by 255; target [N] int64 -> [N, classes] float, floating
/// targets keep their shape; further tensors stay. In a recorded step partners must lie on the batch's device. Throws
/// Error unless partners are indexed and of the batch's kind, alpha is in [0.01, 1000] and probability in [0, 1], and
/// for labels of pixels, [N, H, W] int64. Throws Error before the first step if `partners` have other targets than the
/// data for shared samples (by ids or origins, as of the beginning), or if `augment` leaves out a transform that
/// changed the targets.
///     phase.augment = {crop, flip, regimen::Mixup{.classes = 10}};
struct Mixup {
  Source partners{};    ///< source of partners; undefined: the phase's own data
  Integer classes = 0;  ///< number of classes; 0 for floating targets
  Bounded<detail::BetaShape, "Mixup.alpha"> alpha =
      1;  ///< in [0.01, 1000], both shapes of the beta distribution; 1: uniform, near 0: little mixing
  Share<"Mixup.probability"> probability = 1;  ///< share of the samples that are mixed, in [0, 1]
  std::vector<AnyTransform> augment{};
  bool allow_other_labels = false;  ///< accept partners with other targets than the data have for the same samples

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
