#include "image_file.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <regimen/base/error.hpp>

// Why libpng and libjpeg-turbo. LibTorch's packages bring both libraries along, so only the headers are new: 0.7 MB
// to fetch from Debian. Both are kept up by their authors and get Debian's security updates. stb_image
// (libstb-dev, 0.8 MB) is shorter to call, but Debian 12 has it of 2022, with holes that are published and not closed
// there (CVE-2023-45667 and its neighbours). OpenCV's headers are five packages and 31 MB for its imgcodecs alone.
#if defined(BAD_MINIMA_DECODES_IMAGES)
#include <png.h>

#include <cstdio>  // jpeglib.h uses FILE and does not include it

#include <jpeglib.h>

#include <jerror.h>  // after jpeglib.h, whose types it uses

#include <csetjmp>
#include <filesystem>
#include <string_view>
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
    // All of an image is resized, however little the centre is: a thin line of a file can become gigabytes.
    regimen::detail::require(rows * columns <= most_pixels, "fit_image: the number of pixels when resized",
                             "at most " + regimen::detail::text(most_pixels), rows * columns);
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

// libpng and libjpeg report an error by calling a function that must not return: it jumps back to the setjmp. The jump
// must pass no destructor, so between the two there are plain values only.

extern "C" [[noreturn]] void on_png_error(png_structp png, png_const_charp message) {
  *static_cast<std::string*>(png_get_error_ptr(png)) = message;
  png_longjmp(png, 1);
}

extern "C" void on_png_warning(png_structp /*png*/, png_const_charp /*message*/) {}  // libpng would print it

extern "C" void take_png_bytes(png_structp png, png_bytep to, png_size_t length) {
  auto* const rest = static_cast<std::string_view*>(png_get_io_ptr(png));
  if (length > rest->size()) {
    png_error(png, "the file ends too early");
  }
  rest->copy(reinterpret_cast<char*>(to), length);
  rest->remove_prefix(length);
}

/// One PNG file. After a function has said false, `why` tells the reason.
///
/// Not libpng's short interface (png_image): it applies a file's gamma, takes 16 bits for linear light where there is
/// none, and stops before the end of the file. Pillow does neither of the first two.
class Png {
 public:
  explicit Png(const std::string& bytes) : rest_(bytes) {}
  ~Png() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Png(const Png&) = delete;
  Png& operator=(const Png&) = delete;

  /// Reads the header.
  bool open() {
    if (png_ == nullptr || info_ == nullptr) {
      why_ = "out of memory";
      return false;
    }
    if (setjmp(png_jmpbuf(png_)) != 0) {
      return false;
    }
    png_set_read_fn(png_, &rest_, take_png_bytes);
    png_read_info(png_, info_);
    png_set_expand(png_);       // palettes, and grey of less than 8 bits
    png_set_strip_16(png_);     // takes the higher 8
    png_set_strip_alpha(png_);  // drops it, where the colours stay as they are
    png_set_gray_to_rgb(png_);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  /// Decodes into height x width x 3 bytes.
  bool read(std::uint8_t* pixels) {
    if (setjmp(png_jmpbuf(png_)) != 0) {
      return false;
    }
    for (int pass = 0; pass < passes_; ++pass) {
      for (std::int64_t y = 0; y < height(); ++y) {
        png_read_row(png_, pixels + y * width() * 3, nullptr);
      }
    }
    png_read_end(png_, nullptr);
    return true;
  }

  [[nodiscard]] std::int64_t width() const { return png_get_image_width(png_, info_); }
  [[nodiscard]] std::int64_t height() const { return png_get_image_height(png_, info_); }
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  std::string_view rest_;
  std::string why_{};
  png_structp png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &why_, on_png_error, on_png_warning);
  png_infop info_ = png_create_info_struct(png_);
  int passes_ = 1;
};

torch::Tensor decode_png(const std::string& path, const std::string& bytes) {
  Png png(bytes);
  if (!png.open()) {
    refuse(path, png.why());
  }
  require_pixels(path, png.width(), png.height());
  const torch::Tensor pixels = torch::empty({png.height(), png.width(), 3}, torch::kByte);
  if (!png.read(pixels.data_ptr<std::uint8_t>())) {
    refuse(path, png.why());
  }
  return pixels.permute({2, 0, 1}).contiguous();
}

/// Where libjpeg's errors go.
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
    jpeg_finish_decompress(&info_);  // finds out if the end is missing
    return true;
  }

  [[nodiscard]] std::int64_t width() const { return info_.image_width; }
  [[nodiscard]] std::int64_t height() const { return info_.image_height; }
  [[nodiscard]] std::size_t channels() const { return info_.out_color_space == JCS_CMYK ? 4 : 3; }

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
  if (jpeg.channels() == 4) {
    // A colour is the light that neither its ink nor the black takes away. A byte says how much ink is missing, as
    // Adobe's programs write it, and as all others are read too.
    const torch::Tensor light = pixels.to(torch::kFloat);
    pixels = (light.narrow(0, 0, 3) * light.narrow(0, 3, 1) / 255).round().to(torch::kByte);
  }
  return pixels.contiguous();
}

}  // namespace

void require_image_decoder() {}

torch::Tensor read_image(const std::string& path) {
  std::error_code failure;
  const std::uintmax_t size = std::filesystem::file_size(path, failure);  // fails for folders too
  if (failure) {
    throw regimen::Error("cannot read " + path + ": " + failure.message());
  }
  const std::string bytes = read_file(path);
  if (bytes.size() != size) {
    throw regimen::Error("cannot read " + path);
  }
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
