#pragma once
// No LibTorch.

#include <fstream>
#include <sstream>
#include <string>

#include "regimen/base/file.hpp"

namespace regimen::inline v0::experiment {

/// Replaces a file, and makes its folder. If the program dies, the file holds either the old content or the new. Throws
/// Error if it cannot be written.
inline void write_file(const std::string& path, const std::string& content) {
  regimen::detail::replace_file(path, content);
}

/// The content of a file; empty if there is no file.
inline std::string read_file(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

/// A text as a file name: spaces, commas and plus signs become underscores.
///     file_name("augmentation + l2")    // "augmentation___l2"
inline std::string file_name(std::string name) {
  for (char& c : name) {
    c = c == ' ' || c == ',' || c == '+' ? '_' : c;
  }
  return name;
}

}  // namespace regimen::inline v0::experiment
