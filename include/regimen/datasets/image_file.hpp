#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/_upsample_bilinear2d_aa.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/datasets/detail/image_pixels.hpp"

// Why libpng and libjpeg-turbo: LibTorch's and gnuplot's packages already depend on both, so only their headers are
// new, 0.7 MB from Debian. Both are maintained and get Debian's security updates. stb_image (libstb-dev, 0.8 MB) has a
// shorter interface, but Debian 12 has a version of 2022 with published and unfixed security holes (CVE-2023-45667 and
// others). OpenCV's headers are five packages and 31 MB for its imgcodecs alone.
#if !defined(REGIMEN_WITH_IMAGE_FILES)
#define REGIMEN_WITH_IMAGE_FILES 0
#endif
#if REGIMEN_WITH_IMAGE_FILES
#include "regimen/datasets/detail/jpeg_file.hpp"
#include "regimen/datasets/detail/png_file.hpp"
#endif

namespace regimen::inline v0 {

/// Resizes an image [3, height, width] uint8 so that its shorter side is `side`, bilinearly with antialiasing, and
/// crops the centre: [3, side, side] uint8. Throws Error if the resized image would have more than 100 million pixels.
inline at::Tensor fit_image(const at::Tensor& image, std::int64_t side) {
  const std::int64_t height = image.size(1);
  const std::int64_t width = image.size(2);
  const std::int64_t shorter = std::min(height, width);
  const std::int64_t rows = side * height / shorter;
  const std::int64_t columns = side * width / shorter;
  at::Tensor resized = image;
  if (shorter != side) {
    // The whole image is resized before the crop: one that is very long and thin can become gigabytes.
    detail::require(rows * columns <= detail::most_pixels, "fit_image: the number of pixels when resized",
                    "at most " + detail::text(detail::most_pixels), rows * columns);
    // The operation of torchvision's Resize, from LibTorch itself.
    const std::vector<std::int64_t> size{rows, columns};
    resized = at::_upsample_bilinear2d_aa(image.unsqueeze(0).to(at::kFloat), at::IntArrayRef(size),
                                          /*align_corners=*/false)
                  .select(0, 0)
                  .round_()
                  .clamp_(0, 255)
                  .to(at::kByte);
  }
  return resized.narrow(1, (rows - side) / 2, side).narrow(2, (columns - side) / 2, side).contiguous();
}

/// Throws Error, which names the packages to install, if this program was built without image decoders.
inline void require_image_decoder() {
#if !REGIMEN_WITH_IMAGE_FILES
  throw Error(
      "this program was built without libpng and libjpeg, which decode images: install them (Debian: libpng-dev and "
      "libjpeg-dev) and build it again");
#endif
}

/// Reads a PNG or JPEG file, recognized by its first bytes, in colour: [3, height, width] uint8. Grey is repeated,
/// transparency dropped, 16 bits cut to the higher 8, CMYK converted, gamma and a camera's rotation ignored, as by
/// Pillow's convert("RGB") (except that it clamps 16-bit grey at 255). Needs libpng and libjpeg: define
/// REGIMEN_WITH_IMAGE_FILES as 1 in the whole program, and link both. Throws Error, which names the file, if it cannot
/// be read or decoded, is truncated, or has more than 100 million pixels.
inline at::Tensor read_image([[maybe_unused]] const std::string& path) {
  require_image_decoder();
#if REGIMEN_WITH_IMAGE_FILES
  std::error_code failure;
  const std::uintmax_t size = std::filesystem::file_size(path, failure);  // fails for folders too
  if (failure) {
    throw Error("cannot read " + path + ": " + failure.message());
  }
  const std::string bytes = detail::image_bytes(path);
  if (bytes.size() != size) {
    throw Error("cannot read " + path);
  }
  const auto begins = [&](const char* mark) { return bytes.rfind(mark, 0) == 0; };
  if (begins("\x89PNG\r\n\x1A\n")) {
    return detail::decode_png(path, bytes);
  }
  if (begins("\xFF\xD8\xFF")) {
    return detail::decode_jpeg(path, bytes);
  }
  detail::refuse_image(path, bytes.empty() ? "it is empty" : "it is neither a PNG nor a JPEG file");
#else
  return {};
#endif
}

}  // namespace regimen::inline v0
