#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

#include "image_settings.hpp"

namespace kit {

/// A data set of images, with what differs between data sets.
struct Images {
  regimen::Source train;  ///< in memory on the device, or folders that are decoded when they are read
  regimen::Batch test;    ///< on the device
  regimen::Normalize normalize;
  std::vector<std::string> names{};  ///< of the classes, by target

  [[nodiscard]] int classes() const { return static_cast<int>(names.size()); }
  [[nodiscard]] int channels() const { return static_cast<int>(test.data.size(1)); }
  [[nodiscard]] std::int64_t side() const { return test.data.size(2); }
  [[nodiscard]] ImageCounts counts() const { return {.train = *train.size(), .test = test.size()}; }

  /// Pixels of padding for a random crop: CIFAR's usual 4 at a side of 32.
  [[nodiscard]] std::int64_t padding() const { return side() / 8; }

  /// A random crop with this padding, and a flip.
  [[nodiscard]] std::vector<regimen::AnyTransform> augmentation() const {
    return {regimen::RandomCrop{.padding = padding()}, regimen::HorizontalFlip{}};
  }
};

/// fashion-mnist, cifar10, cifar100, cinic10 and restricted-imagenet.
const std::vector<std::string>& data_names();

/// The data set of this name. Throws regimen::Error for any other name, and where its files are not.
Images load_images(const DataOptions& data, const torch::Device& device);

/// `count` training images, drawn by the seed and kept in memory; all of them for 0, or if there are no more.
regimen::Source some_of(const Images& images, std::int64_t count, std::uint64_t seed);

/// The content of the folder that --root names for a data set; "" if none is needed.
std::string needed_root(const std::string& name);

/// Throws regimen::Error for a data set that needs a root and has none.
void require_root(const DataOptions& data);

}  // namespace kit
