#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <regimen/batch.hpp>

/// The size that the images are to have.
struct ImageSize {
  std::int64_t side = 64;  ///< pixels, width and height
  bool exact = false;      ///< others are an error; else they are resized and cut (see `fit_image`)
};

/// A class: its name, and the folders with its images, relative to the root.
struct ImageClass {
  std::string name;
  std::vector<std::string> folders;
};

/// Images in the folders of their classes, root/<class>/*.png, *.jpg or *.jpeg in any case: an indexed source that
/// decodes what it is asked for, on all of LibTorch's threads. What is decoded is not kept: `cached` does that.
///
/// data [N, 3, side, side] uint8, target [N] int64, the class's place among the classes; id 0 to N - 1, in the order of
/// the paths (first by folder, then by file). Decoded it takes 3 * side^2 bytes an image.
/// Throws regimen::Error for a root without class folders, a class folder without images, and, where an image is read,
/// one that cannot be decoded or has not the exact size; each names its file.
///     const ImageFolder photos("photos", {.side = 64});
///     const regimen::Batch all = photos.all();
class ImageFolder {
 public:
  /// Every folder in the root is a class; by their sorted names they are 0, 1, 2, ...
  ImageFolder(const std::string& root, ImageSize size);

  /// These classes, in this order. What else is in the root is left alone.
  ImageFolder(const std::string& root, const std::vector<ImageClass>& classes, ImageSize size);

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(files_->size()); }

  /// The images at these places; index [n] int64 in [0, size).
  [[nodiscard]] regimen::Batch get(const torch::Tensor& index) const;

  /// All of them, in memory.
  [[nodiscard]] regimen::Batch all() const { return get(torch::arange(size())); }

  /// The names of the classes, by target.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

  [[nodiscard]] std::string manifest() const;

 private:
  struct File {
    std::string path;
    std::int64_t target;
  };

  void read_into(torch::Tensor to, const std::string& path) const;

  std::string root_;
  ImageSize size_;
  std::vector<std::string> names_{};
  std::shared_ptr<const std::vector<File>> files_{};  ///< shared: a source is copied
};

/// Three parts of 90,000 images of 32 x 32, ten classes, half of them from ImageNet (Darlow, Crowley, Antoniou and
/// Storkey 2018, arXiv:1810.03505): root/{train,valid,test}/<class>/*.png. Targets are those of CIFAR-10.
struct Cinic10 {
  ImageFolder train;
  ImageFolder validation;
  ImageFolder test;
};

/// Throws regimen::Error as ImageFolder does, an absent folder of one of the ten classes included.
Cinic10 cinic10(const std::string& root);

/// Images of nine groups of ImageNet's classes (Tsipras, Santurkar, Engstrom, Turner and Madry 2019, arXiv:1805.12152,
/// table 1): dog, cat, frog, turtle, bird, primate, fish, crab and insect, in this order.
struct RestrictedImageNet {
  ImageFolder train;
  ImageFolder test;  ///< ImageNet's validation images
};

/// Reads root/{train,val}/<class>/*.JPEG, where the classes are all 1000 folders of ImageNet (ILSVRC 2012), which
/// sorted by name are the class indices 0 to 999, or else the nine groups by their names.
///
/// The groups have 203 classes, about 260,000 and exactly 10,150 images: decoded they take 3 GB at a side of 64 pixels
/// and 40 GB at the paper's 224. So they stay on disk until they are asked for, and the side is for you to choose.
/// Throws regimen::Error as ImageFolder does, and for folders that are neither of the two.
RestrictedImageNet restricted_imagenet(const std::string& root, std::int64_t side = 64);
