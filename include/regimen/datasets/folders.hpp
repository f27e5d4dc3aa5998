#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/manifest.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/datasets/detail/image_names.hpp"
#include "regimen/datasets/image_file.hpp"

namespace regimen::inline v0 {

/// The size to which images are brought.
struct ImageSize {
  std::int64_t side = 64;  ///< width and height in pixels, at least 1
  bool exact = false;      ///< images of another size are an error; else they are resized and cropped (see `fit_image`)
};

/// A class: its name, and the folders with its images, relative to the root.
struct ImageClass {
  std::string name;
  std::vector<std::string> folders;
};

/// Images in a folder for each class, root/CLASS/*.png, *.jpg or *.jpeg in any case: an indexed source that decodes
/// images when they are asked for, on all of LibTorch's threads. It keeps none; `cached` does.
///
/// data [N, 3, side, side] uint8, target [N] int64, the index of the class; id 0 to N - 1 in the order of the paths
/// (first by folder, then by file). Decoded, an image takes 3 * side^2 bytes. Needs an image decoder (see
/// `read_image`). Throws Error for a root without class folders and a class folder without images; at reading, for an
/// image that cannot be decoded or has not the exact size. Errors name the file.
///     const regimen::ImageFolder photos("photos", {.side = 64});
///     const regimen::Batch all = photos.all();
class ImageFolder {
 public:
  /// Takes every folder in the root as a class; in the order of their names they are 0, 1, 2, ...
  ImageFolder(const std::string& root, ImageSize size);

  /// Takes these classes, in this order. Other folders in the root are ignored.
  ImageFolder(const std::string& root, const std::vector<ImageClass>& classes, ImageSize size);

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(files_->size()); }

  /// The images of these indices; index [n] int64 in [0, size).
  [[nodiscard]] Batch get(const at::Tensor& index) const;

  /// All images, in memory.
  [[nodiscard]] Batch all() const { return get(at::arange(size(), at::kLong)); }

  /// Names of the classes, by target.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

  [[nodiscard]] std::string manifest() const;

 private:
  struct File {
    std::string path;
    std::int64_t target;
  };

  void read_into(at::Tensor to, const std::string& path) const;

  std::string root_;
  ImageSize size_;
  std::vector<std::string> names_{};
  std::shared_ptr<const std::vector<File>> files_{};  ///< shared by copies of the source
};

namespace detail {

/// Classes of these names, each with the folder of its name.
inline std::vector<ImageClass> classes_of(const std::vector<std::string>& names) {
  std::vector<ImageClass> classes;
  for (const std::string& name : names) {
    classes.push_back({name, {name}});
  }
  return classes;
}

}  // namespace detail

inline ImageFolder::ImageFolder(const std::string& root, ImageSize size)
    : ImageFolder(root, detail::classes_of(detail::names_in(root, /*folders=*/true)), size) {}

inline ImageFolder::ImageFolder(const std::string& root, const std::vector<ImageClass>& classes, ImageSize size)
    : root_(root), size_(size) {
  require_image_decoder();
  detail::require(size.side >= 1, "ImageSize.side", "at least 1", size.side);
  std::vector<std::pair<std::string, std::int64_t>> folders;
  for (const ImageClass& one : classes) {
    for (const std::string& folder : one.folders) {
      folders.emplace_back(folder, static_cast<std::int64_t>(names_.size()));
    }
    names_.push_back(one.name);
  }
  if (folders.empty()) {
    throw Error(root + " has no class folders: the images of a class are in a folder of its name");
  }
  std::sort(folders.begin(), folders.end());

  std::vector<File> files;
  for (const auto& [folder, target] : folders) {
    const std::filesystem::path path = std::filesystem::path(root) / folder;
    const std::size_t before = files.size();
    for (const std::string& name : detail::names_in(path, /*folders=*/false)) {
      if (detail::is_image(name)) {
        files.push_back({(path / name).string(), target});
      }
    }
    if (files.size() == before) {
      throw Error("the class folder " + path.string() + " has no images: no *.png, *.jpg or *.jpeg");
    }
  }
  files_ = std::make_shared<const std::vector<File>>(std::move(files));
}

inline Batch ImageFolder::get(const at::Tensor& index) const {
  const at::Tensor places = index.contiguous();
  const std::int64_t n = places.size(0);
  const auto* const place = places.data_ptr<std::int64_t>();
  Batch batch{
      .data = at::empty({n, 3, size_.side, size_.side}, at::kByte), .target = at::empty({n}, at::kLong), .id = places};
  for (std::int64_t i = 0; i < n; ++i) {
    if (place[i] < 0 || place[i] >= size()) {
      detail::require(false, "ImageFolder: a place", "in [0, " + detail::text(size()) + ")", place[i]);
    }
  }
  at::parallel_for(0, n, /*grain=*/1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const File& file = (*files_)[static_cast<std::size_t>(place[i])];
      read_into(batch.data.select(0, i), file.path);
      batch.target.data_ptr<std::int64_t>()[i] = file.target;
    }
  });
  return batch;
}

inline void ImageFolder::read_into(at::Tensor to, const std::string& path) const {
  const at::Tensor image = read_image(path);
  if (size_.exact && (image.size(1) != size_.side || image.size(2) != size_.side)) {
    const auto size = [](std::int64_t width, std::int64_t height) {
      return detail::text(width) + " x " + detail::text(height);
    };
    detail::require(false, path + ": the size", size(size_.side, size_.side) + " pixels",
                    size(image.size(2), image.size(1)));
  }
  try {
    to.copy_(fit_image(image, size_.side));
  } catch (const Error& error) {
    throw Error(path + ": " + error.what());
  }
}

inline std::string ImageFolder::manifest() const {
  return detail::json::Object()
      .add("type", "\"ImageFolder\"")
      .add("root", regimen::manifest(root_))
      .add("size", regimen::manifest(size_))
      .add("classes", regimen::manifest(names_))
      .add("samples", detail::text(size()))
      .text();
}

}  // namespace regimen::inline v0
