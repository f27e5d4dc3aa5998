#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "regimen/datasets/dataset.hpp"
#include "regimen/datasets/detail/dataset_files.hpp"
#include "regimen/datasets/detail/packed_file.hpp"

namespace regimen::inline v0 {

namespace detail {

inline constexpr std::int64_t cifar_pixels = 3 * 32 * 32;

/// The records of a file, [N, labels + 3072] uint8 with N >= 1: each has `labels` label bytes and an image.
/// `labels_text` describes the labels in errors.
inline at::Tensor read_cifar_records(const std::string& path, std::int64_t labels, std::string_view labels_text) {
  const std::int64_t record = labels + cifar_pixels;
  PackedFile file(path);
  const at::Tensor bytes = file.bytes(std::numeric_limits<std::int64_t>::max());
  const std::int64_t length = bytes.size(0);
  require(length > 0 && length % record == 0, path + ": the length",
          "a multiple of " + text(record) + " bytes (" + text(labels_text) + " and 3 x 32 x 32 pixels) and above 0",
          length);
  return bytes.view({-1, record});
}

/// A batch of the images of such records, [N, 3, 32, 32] uint8, with this target and ids 0 to N - 1. Shares the
/// records' memory.
inline Batch cifar_batch(const at::Tensor& records, const at::Tensor& target) {
  const at::Tensor images = records.narrow(1, records.size(1) - cifar_pixels, cifar_pixels);
  return {.data = images.reshape({-1, 3, 32, 32}),
          .target = target.to(at::kLong),
          .id = at::arange(records.size(0), at::kLong)};
}

}  // namespace detail

/// Reads one file of CIFAR-10's binary version: records of a label byte and 3072 bytes of image, the red, green and
/// blue plane of 32 rows of 32 pixels (Krizhevsky 2009, www.cs.toronto.edu/~kriz/cifar.html).
///
/// data [N, 3, 32, 32] uint8, target [N] int64 in [0, 10), id 0 to N - 1.
/// Throws Error for a file that cannot be read or is empty, whose length is no multiple of 3073, or that has a label
/// outside [0, 10); records are counted from 0.
[[nodiscard]] inline Batch read_cifar10_file(const std::string& path) {
  const at::Tensor records = detail::read_cifar_records(path, 1, "a label");
  const at::Tensor labels = records.select(1, 0);
  detail::require_classes(labels, 10, path);
  return detail::cifar_batch(records, labels);
}

/// CIFAR-10: 50,000 training and 10,000 test colour photographs of ten classes (Krizhevsky 2009). Reads
/// data_batch_1.bin to data_batch_5.bin and test_batch.bin, each plain or with .gz, in root/cifar-10-batches-bin or in
/// root itself.
///
/// data [N, 3, 32, 32] uint8, target [N] int64 in [0, 10), id 0 to N - 1 in train and again in test. Files with another
/// number of records than 10,000 are accepted. Throws Error for a missing file, and as `read_cifar10_file` does.
///     const auto [train, test] = regimen::cifar10("data");
[[nodiscard]] inline Dataset cifar10(const std::string& root) {
  std::vector<std::string> paths = detail::cifar10_files(root);
  Dataset result{{}, read_cifar10_file(paths.back())};
  paths.pop_back();
  std::vector<at::Tensor> data;
  std::vector<at::Tensor> target;
  for (const std::string& path : paths) {
    const Batch part = read_cifar10_file(path);
    data.push_back(part.data);
    target.push_back(part.target);
  }
  result.train = {at::cat(data), at::cat(target), {}, {}, {}};
  result.train.id = at::arange(result.train.size(), at::kLong);
  return result;
}

/// Reads one file of CIFAR-100's binary version: records of a coarse label byte, a fine label byte and an image as in
/// CIFAR-10 (Krizhevsky 2009).
///
/// data [N, 3, 32, 32] uint8, target [N] int64 in [0, 100), the fine labels; extra["coarse"] [N] int64 in [0, 20), the
/// superclasses; id 0 to N - 1.
/// Throws Error for a file that cannot be read or is empty, whose length is no multiple of 3074, or that has a coarse
/// label outside [0, 20) or a fine one outside [0, 100); records are counted from 0.
[[nodiscard]] inline Batch read_cifar100_file(const std::string& path) {
  const at::Tensor records = detail::read_cifar_records(path, 2, "a coarse and a fine label");
  const at::Tensor coarse = records.select(1, 0);
  const at::Tensor fine = records.select(1, 1);
  detail::require_classes(coarse, 20, path, "coarse label");
  detail::require_classes(fine, 100, path, "fine label");
  Batch batch = detail::cifar_batch(records, fine);
  batch.extra.emplace("coarse", coarse.to(at::kLong));
  return batch;
}

/// CIFAR-100: 50,000 training and 10,000 test colour photographs of 100 classes in 20 superclasses (Krizhevsky 2009).
/// Reads train.bin and test.bin, each plain or with .gz, in root/cifar-100-binary or in root itself.
///
/// data [N, 3, 32, 32] uint8, target [N] int64 in [0, 100), the class; extra["coarse"] [N] int64 in [0, 20), the
/// superclass; id 0 to N - 1 in train and again in test. Files with other numbers of records are accepted. Throws Error
/// for a missing file, and as `read_cifar100_file` does.
///     const auto [train, test] = regimen::cifar100("data");
[[nodiscard]] inline Dataset cifar100(const std::string& root) {
  const std::vector<std::string> paths = detail::cifar100_files(root);
  return {read_cifar100_file(paths.front()), read_cifar100_file(paths.back())};
}

}  // namespace regimen::inline v0
