#pragma once

#include <cstddef>

#include "regimen/batch.hpp"
#include "regimen/key.hpp"
#include "regimen/now.hpp"
#include "regimen/phase.hpp"

namespace regimen::inline v0::detail {

/// The batch through the phase's augmentation, keyed by (seed, sample, epoch).
inline Batch augmented(const Batch& batch, const Phase& phase, const Now& now) {
  if (phase.augment.empty()) {
    return batch;
  }
  const Key key = Key(phase.seed, batch.id, now).fold(salt::augment).each_epoch();
  Batch result = batch;
  for (std::size_t i = 0; i < phase.augment.size(); ++i) {
    result = phase.augment[i](result, key.fold(i));
  }
  return result;
}

}  // namespace regimen::inline v0::detail
