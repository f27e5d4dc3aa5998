#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/datasets/detail/image_names.hpp"
#include "regimen/datasets/folders.hpp"

namespace regimen::inline v0 {

/// CINIC-10: training, validation and test sets of 90,000 images of 32 x 32 each, ten classes, from CIFAR-10 and
/// ImageNet (Darlow, Crowley, Antoniou and Storkey 2018, arXiv:1810.03505): root/{train,valid,test}/CLASS/*.png.
/// Targets are those of CIFAR-10.
struct Cinic10 {
  ImageFolder train;
  ImageFolder validation;
  ImageFolder test;
};

/// Opens CINIC-10 in `root`. Throws Error as ImageFolder does, also for an absent class folder.
inline Cinic10 cinic10(const std::string& root) {
  const auto part = [&](const char* name) {
    static const std::vector<std::string> names{"airplane", "automobile", "bird",  "cat",  "deer",
                                                "dog",      "frog",       "horse", "ship", "truck"};
    return ImageFolder((std::filesystem::path(root) / name).string(), detail::classes_of(names),
                       {.side = 32, .exact = true});
  };
  return {part("train"), part("valid"), part("test")};
}

/// Restricted ImageNet: images of nine groups of ImageNet's classes (Tsipras, Santurkar, Engstrom, Turner and Madry
/// 2019, arXiv:1805.12152, table 1): dog, cat, frog, turtle, bird, primate, fish, crab and insect, in this order.
struct RestrictedImageNet {
  ImageFolder train;
  ImageFolder test;  ///< ImageNet's validation images
};

/// Opens root/{train,val}/CLASS/*.JPEG. The class folders are either all 1000 of ImageNet (ILSVRC 2012), whose order by
/// name gives the class indices 0 to 999, or the nine groups by their names.
///
/// The groups have 203 classes with about 260,000 training images and exactly 10,150 test images: decoded, 3 GB at a
/// side of 64 pixels and 40 GB at the paper's 224. So images stay on disk until they are asked for, and `side` is free.
/// Throws Error as ImageFolder does, and for other folders.
inline RestrictedImageNet restricted_imagenet(const std::string& root, std::int64_t side = 64) {
  struct Range {
    std::string name;
    std::size_t first, last;
  };
  // From the authors' package `robustness` (RESTRICTED_IMAGNET_RANGES); both ends are included.
  static const std::vector<Range> groups{{"dog", 151, 268},  {"cat", 281, 285},  {"frog", 30, 32},
                                         {"turtle", 33, 37}, {"bird", 80, 100},  {"primate", 365, 382},
                                         {"fish", 389, 397}, {"crab", 118, 121}, {"insect", 300, 319}};
  const auto part = [&](const char* name) {
    const std::string path = (std::filesystem::path(root) / name).string();
    const std::vector<std::string> folders = detail::names_in(path, /*folders=*/true);
    const bool arranged = std::all_of(groups.begin(), groups.end(), [&](const Range& group) {
      return std::binary_search(folders.begin(), folders.end(), group.name);
    });
    if (!arranged && folders.size() != 1000) {
      detail::require(false, path + ": its class folders",
                      "the 1000 of ImageNet, or the nine groups (dog, cat, frog, turtle, bird, primate, fish, crab, "
                      "insect)",
                      detail::text(folders.size()) + " others");
    }
    std::vector<ImageClass> classes;
    for (const Range& group : groups) {
      ImageClass& one = classes.emplace_back(ImageClass{group.name, {}});
      if (arranged) {
        one.folders = {group.name};
      } else {
        const auto at = [&](std::size_t index) { return folders.begin() + static_cast<std::ptrdiff_t>(index); };
        one.folders.assign(at(group.first), at(group.last + 1));
      }
    }
    return ImageFolder(path, classes, {.side = side});
  };
  return {part("train"), part("val")};
}

}  // namespace regimen::inline v0
