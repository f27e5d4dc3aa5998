#pragma once
// No LibTorch.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/png_bytes.hpp"

namespace regimen::inline v0 {

/// An image of one byte a channel: row by row from above, pixel by pixel from the left, the channels of a pixel side by
/// side.
struct ImageBytes {
  std::size_t height = 0;             ///< in [1, 65535]
  std::size_t width = 0;              ///< in [1, 65535]
  std::size_t channels = 1;           ///< 1: grey; 2: grey and opacity; 3: red, green, blue; 4: these and opacity
  std::vector<std::uint8_t> bytes{};  ///< height * width * channels
};

namespace detail {

/// Throws Error unless the image has pixels, and as many bytes as these need.
inline void check(const ImageBytes& image, const std::string& where) {
  constexpr std::size_t most = 65535;
  require(image.height >= 1 && image.height <= most, where + ".height", "in [1, 65535]", image.height);
  require(image.width >= 1 && image.width <= most, where + ".width", "in [1, 65535]", image.width);
  require(image.channels >= 1 && image.channels <= 4, where + ".channels", "in [1, 4]", image.channels);
  png_bytes::check_size(image.height, image.width * image.channels, where);
  const std::size_t size = image.height * image.width * image.channels;
  require(image.bytes.size() == size, where + ".bytes.size()", "height * width * channels = " + text(size),
          image.bytes.size());
}

/// A PNG file of an image that was checked, without compression.
inline std::string png_of(const ImageBytes& image) {
  using png_bytes::ColourType;
  constexpr ColourType types[] = {ColourType::grey, ColourType::grey_alpha, ColourType::rgb, ColourType::rgb_alpha};
  const std::size_t row = image.width * image.channels;
  std::string rows;
  rows.reserve(image.height * (row + 1));
  for (std::size_t y = 0; y < image.height; ++y) {
    rows += '\0';
    rows.append(reinterpret_cast<const char*>(image.bytes.data()) + y * row, row);
  }
  return png_bytes::file({image.height, image.width, 8, types[image.channels - 1]}, "", rows);
}

}  // namespace detail
}  // namespace regimen::inline v0
