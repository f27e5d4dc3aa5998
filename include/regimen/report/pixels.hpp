#pragma once
// No LibTorch.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/image_bytes.hpp"
#include "regimen/base/png_bytes.hpp"

namespace regimen::inline v0::report {

using Rgb = std::array<std::uint8_t, 3>;  ///< red, green, blue

/// An image: height x width pixels, row by row from above.
struct Pixels {
  std::size_t height = 0;
  std::size_t width = 0;
  std::vector<Rgb> colours{};
};

}  // namespace regimen::inline v0::report

namespace regimen::inline v0::detail::reports {

/// Throws Error unless there is at least one pixel, and a colour for each.
inline void check(const std::string& where, const report::Pixels& pixels) {
  constexpr std::size_t most = 65535;
  require(pixels.height >= 1 && pixels.height <= most, where + ".height", "in [1, 65535]", pixels.height);
  require(pixels.width >= 1 && pixels.width <= most, where + ".width", "in [1, 65535]", pixels.width);
  png_bytes::check_size(pixels.height, 3 * pixels.width, where);
  require(pixels.colours.size() == pixels.height * pixels.width, where + ".colours.size()",
          "height * width = " + text(pixels.height * pixels.width), pixels.colours.size());
}

/// The rows of a PNG, each behind its filter's number: `bits` (1 to 8) a pixel, its index in the sorted `colours`.
inline std::string indexed_rows(const report::Pixels& pixels, const std::vector<report::Rgb>& colours, unsigned bits) {
  std::string rows;
  for (std::size_t y = 0; y < pixels.height; ++y) {
    rows += '\0';
    unsigned byte = 0;
    unsigned held = 0;
    for (std::size_t x = 0; x < pixels.width; ++x) {
      const report::Rgb& colour = pixels.colours[y * pixels.width + x];
      const auto index = std::lower_bound(colours.begin(), colours.end(), colour) - colours.begin();
      byte = (byte << bits) | static_cast<unsigned>(index);
      held += bits;
      if (held == 8 || x + 1 == pixels.width) {
        rows += static_cast<char>(static_cast<std::uint8_t>(byte << (8 - held)));
        byte = held = 0;
      }
    }
  }
  return rows;
}

/// The rows of a PNG, each behind its filter's number: three bytes a pixel.
inline std::string plain_rows(const report::Pixels& pixels) {
  std::string rows;
  for (std::size_t y = 0; y < pixels.height; ++y) {
    rows += '\0';
    for (std::size_t x = 0; x < pixels.width; ++x) {
      for (const std::uint8_t value : pixels.colours[y * pixels.width + x]) {
        rows += static_cast<char>(value);
      }
    }
  }
  return rows;
}

/// A PNG file without compression: 1, 2, 4 or 8 bits a pixel up to 256 colours, else 24.
inline std::string png(const report::Pixels& pixels) {
  std::vector<report::Rgb> colours = pixels.colours;
  std::sort(colours.begin(), colours.end());
  colours.erase(std::unique(colours.begin(), colours.end()), colours.end());
  const bool indexed = colours.size() <= 256;
  const unsigned bits = colours.size() > 16 ? 8 : colours.size() > 4 ? 4 : colours.size() > 2 ? 2 : 1;
  std::string palette;
  if (indexed) {
    for (const report::Rgb& colour : colours) {
      for (const std::uint8_t value : colour) {
        palette += static_cast<char>(value);
      }
    }
  }
  const auto colour_type = indexed ? png_bytes::ColourType::palette : png_bytes::ColourType::rgb;
  return png_bytes::file({pixels.height, pixels.width, indexed ? bits : 8, colour_type}, palette,
                         indexed ? indexed_rows(pixels, colours, bits) : plain_rows(pixels));
}

/// Base 64 (RFC 4648), on one line.
inline std::string base64(std::string_view bytes) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t three = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      three = (three << 8U) | (at + i < bytes.size() ? static_cast<std::uint8_t>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      const bool is_there = at + i <= bytes.size();
      result += is_there ? letters[(three >> (18U - 6U * static_cast<unsigned>(i))) & 63U] : '=';
    }
  }
  return result;
}

}  // namespace regimen::inline v0::detail::reports

namespace regimen::inline v0::report {

/// The pixels of an image of bytes, as `image_grid` makes one of tensors. Grey has three equal channels; opacity is
/// left out. Throws Error unless the image has as many bytes as its pixels need.
///     const report::Pixels shown = report::pixels_of(regimen::image_grid(batch.data.slice(0, 0, 1)));
[[nodiscard]] inline Pixels pixels_of(const ImageBytes& image) {
  detail::check(image, "pixels_of: image");
  Pixels pixels{.height = image.height, .width = image.width};
  const bool has_colours = image.channels >= 3;
  for (std::size_t at = 0; at < image.bytes.size(); at += image.channels) {
    const std::uint8_t* const pixel = image.bytes.data() + at;
    pixels.colours.push_back({pixel[0], pixel[has_colours ? 1 : 0], pixel[has_colours ? 2 : 0]});
  }
  return pixels;
}

}  // namespace regimen::inline v0::report
