#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "regimen/datasets.hpp"
#include "regimen/detail/cifar10_files.hpp"

namespace regimen::inline v0 {

/// Reads one file of CIFAR-10's binary version: records of a label byte and 3072 bytes of image, the red, green and
/// blue plane of 32 rows of 32 pixels (Krizhevsky 2009, www.cs.toronto.edu/~kriz/cifar.html).
///
/// data [N, 3, 32, 32] uint8, target [N] int64 in [0, 10), id 0 to N - 1.
/// Throws Error for a file that cannot be read or is empty, whose length is no multiple of 3073, or that has a label
/// outside [0, 10); records are counted from 0.
[[nodiscard]] inline Batch read_cifar10_file(const std::string& path) {
  constexpr std::int64_t record = 1 + 3 * 32 * 32;
  detail::PackedFile file(path);
  const at::Tensor bytes = file.bytes(std::numeric_limits<std::int64_t>::max());
  const std::int64_t length = bytes.size(0);
  detail::require(length > 0 && length % record == 0, path + ": the length",
                  "a multiple of 3073 bytes (a label and 3 x 32 x 32 pixels) and above 0", length);
  const at::Tensor records = bytes.view({-1, record});
  const at::Tensor labels = records.select(1, 0);
  detail::require_classes(labels, 10, path);
  const at::Tensor images = records.narrow(1, 1, record - 1).reshape({-1, 3, 32, 32});
  return {images, labels.to(at::kLong), at::arange(labels.size(0), at::kLong), {}, {}};
}

/// Small colour photographs of ten kinds, 50,000 and 10,000 of them (Krizhevsky 2009): data_batch_1.bin to
/// data_batch_5.bin and test_batch.bin, in root/cifar-10-batches-bin or in root itself.
///
/// data [N, 3, 32, 32] uint8, target [N] int64 in [0, 10), id 0 to N - 1 in train and again in test. Files of other
/// than 10,000 records are taken as well.
/// Throws Error for a missing file, and whenever `read_cifar10_file` does.
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

}  // namespace regimen::inline v0
