#pragma once

#include "regimen/batch/tensors.hpp"
#include "regimen/transform/concept.hpp"

namespace regimen::inline v0 {

/// A transform that changes the data alone: the inner transform gets the batch without target and further tensors, and
/// these are returned unchanged. For dense targets that are to stay while pixels move or are covered by `Cutout`. Draws
/// are those of the inner transform.
///     phase.augment = {regimen::DataOnly{regimen::Cutout{.side = 8}}};  // the network is to fill the hole
struct DataOnly {
  AnyTransform transform;

  Batch operator()(const Batch& batch, const Key& key) const {
    const Batch shown{.data = batch.data, .id = batch.id, .origin = batch.origin};
    return detail::with_data(batch, transform(shown, key).data);
  }
};

}  // namespace regimen::inline v0
