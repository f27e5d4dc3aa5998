#pragma once

#include <torch/torch.h>

#include <cstdint>

#include <regimen/batch/batch.hpp>

/// Ten patterns under noise, with the patterns' numbers as labels: [images, 1, side, side]. The seed is that of labels
/// and noise.
inline regimen::Batch patterns(std::int64_t images, std::int64_t side, std::uint64_t seed) {
  torch::manual_seed(1);
  const at::Tensor pattern = torch::randn({10, 1, side, side});
  torch::manual_seed(seed);
  const at::Tensor label = torch::randint(10, {images}, torch::kLong);
  return {.data = 0.3 * pattern.index_select(0, label) + torch::randn({images, 1, side, side}), .target = label};
}
