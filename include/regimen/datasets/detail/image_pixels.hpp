#pragma once
// No LibTorch.

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

#include "regimen/base/error.hpp"

namespace regimen::inline v0::detail {

// A header may be wrong: a bound that no photograph of a data set exceeds, 400 MB at most.
inline constexpr std::int64_t most_pixels = 100'000'000;

inline void require_pixels(const std::string& path, std::int64_t width, std::int64_t height) {
  require(width * height <= most_pixels, path + ": the number of pixels", "at most " + text(most_pixels),
          width * height);
}

/// The bytes of a file; fewer, or none, if it cannot be read.
inline std::string image_bytes(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

[[noreturn]] inline void refuse_image(const std::string& path, const std::string& why) {
  throw Error(path + " cannot be decoded: " + why);
}

}  // namespace regimen::inline v0::detail
