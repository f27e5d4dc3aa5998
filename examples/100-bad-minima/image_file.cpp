#include "image_file.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <regimen/error.hpp>

// Why libpng and libjpeg-turbo. LibTorch's and gnuplot's packages bring both libraries along, so only the headers are
// new: 0.7 MB to fetch from Debian. Both are kept up by their authors and get Debian's security updates. stb_image
// (libstb-dev, 0.8 MB) is shorter to call, but Debian 12 has it of 2022, with holes that are published and not closed
// there (CVE-2023-45667 and its neighbours). OpenCV's headers are five packages and 31 MB for its imgcodecs alone.
#if defined(BAD_MINIMA_DECODES_IMAGES)
#include <png.h>

#include <cstdio>  // jpeglib.h uses FILE and does not include it

#include <jpeglib.h>

#include <jerror.h>  // after jpeglib.h, whose types it uses

#include <csetjmp>
#include <filesystem>
#include <memory>
#include <system_error>

#include "files.hpp"
#endif

namespace {

// A header may lie about the size: as many pixels as no photograph of a data set has, 400 MB.
constexpr std::int64_t most_pixels = 100'000'000;

[[maybe_unused]] void require_pixels(const std::string& path, std::int64_t width, std::int64_t height) {
  regimen::detail::require(width * height <= most_pixels, path + ": the number of pixels",
                           "at most " + regimen::detail::text(most_pixels), width * height);
}

}  // namespace

torch::Tensor fit_image(const torch::Tensor& image, std::int64_t side) {
  const std::int64_t height = image.size(1);
  const std::int64_t width = image.size(2);
  const std::int64_t shorter = std::min(height, width);
  const std::int64_t rows = side * height / shorter;
  const std::int64_t columns = side * width / shorter;
  torch::Tensor resized = image;
  if (shorter != side) {
    namespace F = torch::nn::functional;
    // LibTorch's own: what torchvision's Resize calls, and one dependency less.
    const auto options = F::InterpolateFuncOptions()
                             .size(std::vector<std::int64_t>{rows, columns})
                             .mode(torch::kBilinear)
                             .align_corners(false)
                             .antialias(true);
    resized = F::interpolate(image.unsqueeze(0).to(torch::kFloat), options)[0].round_().clamp_(0, 255).to(torch::kByte);
  }
  return resized.narrow(1, (rows - side) / 2, side).narrow(2, (columns - side) / 2, side).contiguous();
}

#if !defined(BAD_MINIMA_DECODES_IMAGES)

void require_image_decoder() {
  throw regimen::Error(
      "this program was built without libpng and libjpeg, which decode images: install them (Debian: libpng-dev and "
      "libjpeg-dev) and build it again");
}

torch::Tensor read_image(const std::string& /*path*/) {
  require_image_decoder();
  return {};
}

#else

namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw regimen::Error(path + " cannot be decoded: " + why);
}

torch::Tensor decode_png(const std::string& path, const std::string& bytes) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, decltype(&png_image_free)> freed(&image, &png_image_free);
  if (png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()) == 0) {
    refuse(path, image.message);
  }
  require_pixels(path, image.width, image.height);
  // Without an alpha channel libpng would blend the image with a background.
  image.format = PNG_FORMAT_RGBA;
  const torch::Tensor pixels = torch::empty({image.height, image.width, 4}, torch::kByte);
  if (png_image_finish_read(&image, nullptr, pixels.data_ptr(), 0, nullptr) == 0) {
    refuse(path, image.message);
  }
  return pixels.narrow(2, 0, 3).permute({2, 0, 1}).contiguous();
}

/// libjpeg reports by calling these functions, of which the first must not return: it jumps back to the setjmp. The
/// jump must pass no destructor, so between the two there are plain values only.
struct JpegErrors {
  jpeg_error_mgr base;  // first, so that a pointer to it is one to all
  std::jmp_buf escape;
  char text[JMSG_LENGTH_MAX];
};

extern "C" [[noreturn]] void on_jpeg_error(j_common_ptr info) {
  auto* const errors = reinterpret_cast<JpegErrors*>(info->err);
  errors->base.format_message(info, errors->text);
  std::longjmp(errors->escape, 1);
}

extern "C" void on_jpeg_message(j_common_ptr info, int /*level*/) {
  // A file cut short is but a warning to libjpeg, and grey from there on. The other warnings are of what decoders get
  // over, and ImageNet has some.
  if (info->err->msg_code == JWRN_JPEG_EOF) {
    on_jpeg_error(info);
  }
}

/// One JPEG file. After a function has said false, `why` tells the reason.
class Jpeg {
 public:
  Jpeg() {
    info_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = on_jpeg_error;
    errors_.base.emit_message = on_jpeg_message;
  }
  ~Jpeg() { jpeg_destroy_decompress(&info_); }  // also where it was never created: zeros say so
  Jpeg(const Jpeg&) = delete;
  Jpeg& operator=(const Jpeg&) = delete;

  /// Reads the header.
  bool open(const std::string& bytes) {
    if (setjmp(errors_.escape) != 0) {
      return false;
    }
    jpeg_create_decompress(&info_);
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    jpeg_read_header(&info_, TRUE);
    const bool four = info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
    info_.out_color_space = four ? JCS_CMYK : JCS_RGB;
    return true;
  }

  /// Decodes into height x width x channels bytes.
  bool read(std::uint8_t* pixels) {
    if (setjmp(errors_.escape) != 0) {
      return false;
    }
    jpeg_start_decompress(&info_);
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = pixels + static_cast<std::size_t>(info_.output_scanline) * info_.output_width * channels();
      jpeg_read_scanlines(&info_, &row, 1);
    }
    return true;
  }

  [[nodiscard]] std::int64_t width() const { return info_.image_width; }
  [[nodiscard]] std::int64_t height() const { return info_.image_height; }
  [[nodiscard]] std::size_t channels() const { return info_.out_color_space == JCS_CMYK ? 4 : 3; }

  /// Whether a byte of CMYK says how much ink is missing, as Adobe's programs write it, instead of how much there is.
  [[nodiscard]] bool inverted() const { return info_.saw_Adobe_marker != 0; }

  [[nodiscard]] std::string why() const { return errors_.text; }

 private:
  jpeg_decompress_struct info_{};
  JpegErrors errors_{};
};

torch::Tensor decode_jpeg(const std::string& path, const std::string& bytes) {
  Jpeg jpeg;
  if (!jpeg.open(bytes)) {
    refuse(path, jpeg.why());
  }
  require_pixels(path, jpeg.width(), jpeg.height());
  torch::Tensor pixels =
      torch::empty({jpeg.height(), jpeg.width(), static_cast<std::int64_t>(jpeg.channels())}, torch::kByte);
  if (!jpeg.read(pixels.data_ptr<std::uint8_t>())) {
    refuse(path, jpeg.why());
  }
  pixels = pixels.permute({2, 0, 1});
  if (jpeg.channels() == 4) {  // a colour is the light that neither its ink nor the black takes away
    const torch::Tensor light = (jpeg.inverted() ? pixels : 255 - pixels).to(torch::kFloat);
    pixels = (light.narrow(0, 0, 3) * light.narrow(0, 3, 1) / 255).round().to(torch::kByte);
  }
  return pixels.contiguous();
}

}  // namespace

void require_image_decoder() {}

torch::Tensor read_image(const std::string& path) {
  std::error_code failure;
  std::filesystem::file_size(path, failure);  // fails for folders too
  if (failure) {
    throw regimen::Error("cannot read " + path + ": " + failure.message());
  }
  const std::string bytes = read_file(path);
  const auto begins = [&](const char* mark) { return bytes.rfind(mark, 0) == 0; };
  if (begins("\x89PNG\r\n\x1A\n")) {
    return decode_png(path, bytes);
  }
  if (begins("\xFF\xD8\xFF")) {
    return decode_jpeg(path, bytes);
  }
  refuse(path, bytes.empty() ? "it is empty" : "it is neither a PNG nor a JPEG file");
}

#endif
