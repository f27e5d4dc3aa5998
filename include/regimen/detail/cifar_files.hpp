#pragma once
// No LibTorch.

#include <filesystem>
#include <initializer_list>
#include <string>
#include <system_error>
#include <vector>

#include "regimen/error.hpp"

namespace regimen::inline v0::detail {

/// The files of these names, in root/folder or in root itself. Throws Error for the first that is not there, with
/// `set`, whose binary version has it.
inline std::vector<std::string> cifar_files(const std::string& root, const std::string& set, const char* folder,
                                            std::initializer_list<const char*> names) {
  std::error_code failure;
  const auto inside = std::filesystem::path(root) / folder;
  const auto place = std::filesystem::is_directory(inside, failure) ? inside : std::filesystem::path(root);
  std::vector<std::string> paths;
  for (const char* const name : names) {
    paths.push_back((place / name).string());
    if (!std::filesystem::exists(paths.back(), failure)) {
      throw Error("there is no " + paths.back() + "; the binary version of " + set +
                  " (www.cs.toronto.edu/~kriz/cifar.html) has it");
    }
  }
  return paths;
}

/// The six files of CIFAR-10's binary version, the test set's last.
inline std::vector<std::string> cifar10_files(const std::string& root) {
  return cifar_files(root, "CIFAR-10", "cifar-10-batches-bin",
                     {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                      "data_batch_5.bin", "test_batch.bin"});
}

/// The two files of CIFAR-100's binary version, the test set's last.
inline std::vector<std::string> cifar100_files(const std::string& root) {
  return cifar_files(root, "CIFAR-100", "cifar-100-binary", {"train.bin", "test.bin"});
}

}  // namespace regimen::inline v0::detail
