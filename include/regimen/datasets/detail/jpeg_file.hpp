#pragma once
// libjpeg, to be included with REGIMEN_WITH_IMAGE_FILES alone.

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>  // jpeglib.h uses FILE and does not include it
#include <string>

#include <jpeglib.h>

#include <jerror.h>  // after jpeglib.h, whose types it uses

#include "regimen/datasets/detail/image_pixels.hpp"

namespace regimen::inline v0::detail {

/// The target of libjpeg's errors.
struct JpegErrors {
  jpeg_error_mgr base;  // first, so that a pointer to it points to the whole
  std::jmp_buf escape;
  char text[JMSG_LENGTH_MAX];
};

[[noreturn]] inline void on_jpeg_error(j_common_ptr info) {
  auto* const errors = reinterpret_cast<JpegErrors*>(info->err);
  errors->base.format_message(info, errors->text);
  std::longjmp(errors->escape, 1);
}

inline void on_jpeg_message(j_common_ptr info, int /*level*/) {
  // libjpeg only warns of a truncated file, and fills the rest with grey; here that is an error. Its other warnings are
  // of defects that decoders tolerate, and some images of ImageNet have them.
  if (info->err->msg_code == JWRN_JPEG_EOF) {
    on_jpeg_error(info);
  }
}

/// A JPEG file. If a function returns false, `why` tells the reason.
class Jpeg {
 public:
  Jpeg() {
    info_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = on_jpeg_error;
    errors_.base.emit_message = on_jpeg_message;
  }
  ~Jpeg() { jpeg_destroy_decompress(&info_); }  // safe for a struct of zeros that was never created
  Jpeg(const Jpeg&) = delete;
  Jpeg& operator=(const Jpeg&) = delete;

  /// Reads the header. Returns false on failure.
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

  /// Decodes into height x width x channels bytes. Returns false on failure.
  bool read(std::uint8_t* pixels) {
    if (setjmp(errors_.escape) != 0) {
      return false;
    }
    jpeg_start_decompress(&info_);
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = pixels + static_cast<std::size_t>(info_.output_scanline) * info_.output_width * channels();
      jpeg_read_scanlines(&info_, &row, 1);
    }
    jpeg_finish_decompress(&info_);  // fails if the end is missing
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

inline at::Tensor decode_jpeg(const std::string& path, const std::string& bytes) {
  Jpeg jpeg;
  if (!jpeg.open(bytes)) {
    refuse_image(path, jpeg.why());
  }
  require_pixels(path, jpeg.width(), jpeg.height());
  at::Tensor pixels = at::empty({jpeg.height(), jpeg.width(), static_cast<std::int64_t>(jpeg.channels())}, at::kByte);
  if (!jpeg.read(pixels.data_ptr<std::uint8_t>())) {
    refuse_image(path, jpeg.why());
  }
  pixels = pixels.permute({2, 0, 1});
  if (jpeg.channels() == 4) {
    // colour = 255 - ink, times (255 - black) / 255. The bytes hold 255 minus the ink, as Adobe's programs write them;
    // all files are read so.
    const at::Tensor light = pixels.to(at::kFloat);
    pixels = light.narrow(0, 0, 3).mul(light.narrow(0, 3, 1)).div(255).round().to(at::kByte);
  }
  return pixels.contiguous();
}

}  // namespace regimen::inline v0::detail
