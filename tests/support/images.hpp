#pragma once
// What the tests of images share: PNG and JPEG files, written by libpng and libjpeg themselves.

#include "support/tensors.hpp"

#include "support/folder.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

using Bytes = std::string;

/// How a PNG file is written.
struct PngForm {
  int depth = 8;                  ///< bits a sample: 1, 2, 4, 8 or 16
  bool interlaced = false;        ///< in the seven passes of Adam7
  bool transparent = false;       ///< says also that places of the palette, or pixels of one colour, are not to be seen
  at::Tensor palette{};           ///< [colours, 3] uint8; the samples are places in it
  std::optional<double> gamma{};  ///< of the samples
};

/// A PNG file of these samples, [channels, height, width] of whole numbers of any type: grey, grey and alpha, RGB, or
/// RGBA, as there are 1, 2, 3 or 4 channels.
Bytes png(const at::Tensor& samples, const PngForm& form = {});

/// A PNG file that promises so many pixels, and has none.
Bytes png_without_pixels(std::uint32_t width, std::uint32_t height);

/// How a JPEG file is written: as well as JPEG can.
struct JpegForm {
  bool progressive = false;
  bool adobe = true;       ///< for CMYK: a marker says that one of Adobe's programs wrote it
  bool ycck = false;       ///< for CMYK: stored as the YCC of its first three channels
  Bytes orientation = {};  ///< what a camera writes into the marker APP1
};

/// A JPEG file of these samples, [channels, height, width] uint8: grey, RGB or CMYK, as there are 1, 3 or 4 channels.
Bytes jpeg(const at::Tensor& samples, const JpegForm& form = {});

/// A baseline JPEG file with another size in its header.
Bytes resized_header(const Bytes& jpeg, std::uint32_t width, std::uint32_t height);

/// An image [channels, height, width] uint8 in which neighbours are far apart: for what must arrive to the last bit.
inline at::Tensor rough(std::int64_t height, std::int64_t width, std::int64_t channels = 3, std::int64_t first = 11) {
  return (at::arange(channels * height * width, at::kLong) * 37 + first)
      .remainder(256)
      .to(at::kByte)
      .view({channels, height, width});
}

/// An image [channels, height, width] uint8 in which neighbours are alike, as JPEG expects it.
inline at::Tensor smooth(std::int64_t height, std::int64_t width, std::int64_t channels = 3) {
  const at::Tensor row = at::arange(height, at::kLong).view({1, height, 1}) * 3;
  const at::Tensor column = at::arange(width, at::kLong).view({1, 1, width}) * 2;
  const at::Tensor channel = at::arange(channels, at::kLong).view({channels, 1, 1}) * 40;
  return (20 + row + column + channel).to(at::kByte);
}
