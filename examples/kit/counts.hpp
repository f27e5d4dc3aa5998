#pragma once
// No LibTorch.

#include <cstdint>

namespace kit {

/// How many images a data set has.
struct ImageCounts {
  std::int64_t train = 0;
  std::int64_t test = 0;
};

}  // namespace kit
