#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

#include "plan.hpp"
#include "settings.hpp"

/// A data set of images, and what differs between them.
struct Images {
  regimen::Source train;  ///< in memory on the device, or folders that are decoded when they are read
  regimen::Batch test;    ///< on the device
  regimen::Normalize normalize;
  std::vector<std::string> names{};

  [[nodiscard]] int classes() const { return static_cast<int>(names.size()); }
  [[nodiscard]] int channels() const { return static_cast<int>(test.data.size(1)); }

  [[nodiscard]] ImageCounts counts() const { return {.train = *train.size(), .test = test.size()}; }

  /// Pixels of padding for the random crop, unless the settings say otherwise: CIFAR's usual 4 at a side of 32.
  [[nodiscard]] std::int64_t padding() const { return test.data.size(2) / 8; }
};

/// The data set that the settings name. Throws regimen::Error where its files are not.
Images load_images(const Settings& settings, const torch::Device& device);

/// What the folder of a data set's files has in it; nothing for those that need none.
std::string needed_root(const std::string& data);
