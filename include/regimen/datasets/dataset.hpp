#pragma once

#include "regimen/batch/batch.hpp"

namespace regimen::inline v0 {

/// A training and a test set in memory. Both have the ids 0, 1, 2, ...: an id is unique within one of them only.
struct Dataset {
  Batch train;
  Batch test;
};

}  // namespace regimen::inline v0
