#pragma once
// No LibTorch.

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "regimen/base/error.hpp"

namespace regimen::inline v0::detail {

/// The names in a folder, sorted: of its subfolders, or of its files. Hidden ones are left out.
inline std::vector<std::string> names_in(const std::filesystem::path& folder, bool folders) {
  std::error_code failure;
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (name.front() != '.' && (folders ? entry->is_directory(ignored) : entry->is_regular_file(ignored))) {
      names.push_back(name);
    }
  }
  if (failure) {
    throw Error("cannot read the folder " + folder.string() + ": " + failure.message());
  }
  std::sort(names.begin(), names.end());
  return names;
}

inline bool is_image(const std::string& name) {
  std::string extension = std::filesystem::path(name).extension().string();
  for (char& c : extension) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

}  // namespace regimen::inline v0::detail
