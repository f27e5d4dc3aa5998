#pragma once
// No LibTorch.

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "regimen/error.hpp"

namespace regimen::inline v0::detail {

/// The six files of CIFAR-10's binary version, the test set's last.
inline std::vector<std::string> cifar10_files(const std::string& root) {
  std::error_code failure;
  const auto inside = std::filesystem::path(root) / "cifar-10-batches-bin";
  const auto folder = std::filesystem::is_directory(inside, failure) ? inside : std::filesystem::path(root);
  std::vector<std::string> paths;
  for (const char* const name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                                 "data_batch_5.bin", "test_batch.bin"}) {
    paths.push_back((folder / name).string());
    if (!std::filesystem::exists(paths.back(), failure)) {
      throw Error("there is no " + paths.back() +
                  "; the binary version of CIFAR-10 (www.cs.toronto.edu/~kriz/cifar.html) has it");
    }
  }
  return paths;
}

}  // namespace regimen::inline v0::detail
