#pragma once
// libpng, to be included with REGIMEN_WITH_IMAGE_FILES alone.

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <png.h>

#include <csetjmp>
#include <cstdint>
#include <string>
#include <string_view>

#include "regimen/datasets/detail/image_pixels.hpp"

namespace regimen::inline v0::detail {

// libpng and libjpeg report an error by calling a function that must not return: it jumps back to the setjmp. Jumping
// over destructors is undefined, so only plain values live in between.

[[noreturn]] inline void on_png_error(png_structp png, png_const_charp message) {
  *static_cast<std::string*>(png_get_error_ptr(png)) = message;
  png_longjmp(png, 1);
}

inline void on_png_warning(png_structp /*png*/, png_const_charp /*message*/) {}  // libpng itself would print it

inline void take_png_bytes(png_structp png, png_bytep to, png_size_t length) {
  auto* const rest = static_cast<std::string_view*>(png_get_io_ptr(png));
  if (length > rest->size()) {
    png_error(png, "the file ends too early");
  }
  rest->copy(reinterpret_cast<char*>(to), length);
  rest->remove_prefix(length);
}

/// A PNG file. If a function returns false, `why` tells the reason.
///
/// libpng's simplified interface (png_image) is not used: unlike Pillow it applies a file's gamma and takes 16 bits
/// without a gamma for linear light, and it does not read up to the end of the file.
class Png {
 public:
  explicit Png(const std::string& bytes) : rest_(bytes) {}
  ~Png() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Png(const Png&) = delete;
  Png& operator=(const Png&) = delete;

  /// Reads the header. Returns false on failure.
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
    png_set_strip_16(png_);     // keeps the higher 8 bits
    png_set_strip_alpha(png_);  // keeps the colours as they are
    png_set_gray_to_rgb(png_);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  /// Decodes into height x width x 3 bytes. Returns false on failure.
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

inline at::Tensor decode_png(const std::string& path, const std::string& bytes) {
  Png png(bytes);
  if (!png.open()) {
    refuse_image(path, png.why());
  }
  require_pixels(path, png.width(), png.height());
  const at::Tensor pixels = at::empty({png.height(), png.width(), 3}, at::kByte);
  if (!png.read(pixels.data_ptr<std::uint8_t>())) {
    refuse_image(path, png.why());
  }
  return pixels.permute({2, 0, 1}).contiguous();
}

}  // namespace regimen::inline v0::detail
