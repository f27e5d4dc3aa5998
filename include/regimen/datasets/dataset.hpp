#pragma once

#include "regimen/batch/batch.hpp"

namespace regimen::inline v0 {

/// What is trained on and what is tested on. In both the ids are 0, 1, 2, ...: an id is unique within one of them only.
struct Dataset {
  Batch train;
  Batch test;
};

}  // namespace regimen::inline v0
