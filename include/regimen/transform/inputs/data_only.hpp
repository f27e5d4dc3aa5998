#pragma once

#include "regimen/batch/tensors.hpp"
#include "regimen/transform/concept.hpp"

namespace regimen::inline v0 {

/// A transform that changes the data alone: it is shown the batch without its target and its further tensors, and these
/// come out as they were. For whoever wants a dense target to stay where it is while the pixels move, or under a
/// `Cutout`. It draws what the transform would draw by itself.
///     phase.augment = {regimen::DataOnly{regimen::Cutout{.side = 8}}};  // the network is to fill the hole
struct DataOnly {
  AnyTransform transform;

  Batch operator()(const Batch& batch, const Key& key) const {
    const Batch shown{.data = batch.data, .id = batch.id, .origin = batch.origin};
    return detail::with_data(batch, transform(shown, key).data);
  }
};

}  // namespace regimen::inline v0
