#pragma once
// No LibTorch.

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "regimen/base/error.hpp"

namespace regimen::inline v0::detail {

/// The first path that is a regular file, or "" if none is. Folders of such a name are skipped: some archives unpack
/// into one.
inline std::string first_file(const std::vector<std::string>& paths) {
  std::error_code failure;
  for (const std::string& path : paths) {
    if (std::filesystem::is_regular_file(path, failure)) {
      return path;
    }
  }
  return "";
}

/// An error text with the paths that `first_file` looked at: "there is neither a, which is a folder, nor b nor c".
inline std::string none_of(const std::vector<std::string>& paths) {
  std::error_code failure;
  std::string text;
  for (const std::string& path : paths) {
    text += (text.empty() ? "there is neither " : " nor ") + path;
    text += std::filesystem::is_directory(path, failure) ? ", which is a folder," : "";
  }
  return text;
}

/// The paths of a data set's file: plain, and packed by gzip.
inline std::vector<std::string> plain_and_packed(const std::filesystem::path& folder, const std::string& name) {
  const std::string path = (folder / name).string();
  return {path, path + ".gz"};
}

/// The paths of these files, each plain or with .gz, all in root/folder or all in root itself. Throws Error with the
/// paths looked for and the name of the data set, `set`, that has them.
inline std::vector<std::string> cifar_files(const std::string& root, const std::string& set, const char* folder,
                                            const std::vector<std::string>& names) {
  std::vector<std::string> missing;
  for (const auto& place : {std::filesystem::path(root) / folder, std::filesystem::path(root)}) {
    std::vector<std::string> paths;
    for (const std::string& name : names) {
      const std::vector<std::string> candidates = plain_and_packed(place, name);
      paths.push_back(first_file(candidates));
      if (paths.back().empty()) {
        missing.insert(missing.end(), candidates.begin(), candidates.end());
        break;
      }
    }
    if (!paths.back().empty()) {
      return paths;
    }
  }
  throw Error(none_of(missing) + "; the binary version of " + set + " (www.cs.toronto.edu/~kriz/cifar.html) has it");
}

/// The six files of CIFAR-10's binary version; the last one is the test set.
inline std::vector<std::string> cifar10_files(const std::string& root) {
  return cifar_files(root, "CIFAR-10", "cifar-10-batches-bin",
                     {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                      "data_batch_5.bin", "test_batch.bin"});
}

/// The two files of CIFAR-100's binary version; the last one is the test set.
inline std::vector<std::string> cifar100_files(const std::string& root) {
  return cifar_files(root, "CIFAR-100", "cifar-100-binary", {"train.bin", "test.bin"});
}

}  // namespace regimen::inline v0::detail
