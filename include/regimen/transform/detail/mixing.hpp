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

namespace regimen::inline v0::detail {

/// The range of shapes for which the beta sampler is tested.
struct BetaShape {
  static constexpr Bounds bounds{"a knob", 0.01, 1000, "in [0.01, 1000]"};
};

/// The common part of Mixup and CutMix: a partner for each sample, and its share.
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

  /// Throws Error if partners have other labels than the data. Labels of partners are mixed into those of the data, so
  /// partners with true labels would show a network what wrong labels are to hide. Without `partners` and `augment` the
  /// partners are the data as the transforms before this one leave them, and have their labels by construction.
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

  /// The partner of each sample, drawn by the key, after the transforms that the samples themselves went through.
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

  /// The shares of the samples' own inputs, [N] double: beta draws for samples that are mixed, 1 for the others.
  [[nodiscard]] static at::Tensor shares(const Key& key, const at::Tensor& alpha, const at::Tensor& mixed) {
    const at::Tensor drawn = beta_draws(key, alpha);
    return at::where(mixed, drawn, drawn * 0 + 1);
  }

  /// The mixed targets, with share [N] double of the samples' own; undefined if there are none.
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
  /// The data that an empty `partners` stands for: as the transforms before this one leave them, or, if `augment` is
  /// given in place of those, as they are read.
  [[nodiscard]] const Source& data_of(const Moment& now) const {
    if (now.data == nullptr) {
      throw Error(who + ".partners must be set in a loop of your own: name the source that its batches come from");
    }
    require_choosable(*now.data, who + ".partners");
    return augment.empty() && now.so_far != nullptr ? *now.so_far : *now.data;
  }

  /// drawn: the source of partners, before their `augment`. Dense targets are compared before all transforms, which
  /// move pixels by random draws.
  void require_same_labels(const Source& drawn, const DataSoFar& data, const std::string& part) const {
    if (!data.read.indexed() || *data.read.size() == 0) {
      return;
    }
    const GeneratorGuard generators(at::kCPU);  // a transform may draw from them, though it should not
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

}  // namespace regimen::inline v0::detail
