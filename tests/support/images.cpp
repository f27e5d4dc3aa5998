#include "support/images.hpp"

#include <png.h>

#include <cstdio>  // jpeglib.h uses FILE and does not include it
#include <cstdlib>
#include <vector>

#include <jpeglib.h>

// An error of libpng or libjpeg ends the program, with a message: here it is a mistake in a test.

namespace {

/// The samples pixel by pixel: [height, width, channels] int64, contiguous.
at::Tensor by_pixel(const at::Tensor& samples) {
  return samples.to(at::kLong).permute({1, 2, 0}).contiguous();
}

/// One row [width, channels] int64 as libpng and libjpeg take it: one byte a sample, or two, the higher first.
std::vector<unsigned char> row_of(const at::Tensor& row, int depth) {
  const at::Tensor flat = row.flatten();
  std::vector<unsigned char> bytes;
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    const auto sample = flat.data_ptr<std::int64_t>()[i];
    if (depth == 16) {
      bytes.push_back(static_cast<unsigned char>(sample >> 8));
    }
    bytes.push_back(static_cast<unsigned char>(sample & 0xFF));
  }
  return bytes;
}

int png_colour(std::int64_t channels) {
  switch (channels) {
    case 1:
      return PNG_COLOR_TYPE_GRAY;
    case 2:
      return PNG_COLOR_TYPE_GRAY_ALPHA;
    case 3:
      return PNG_COLOR_TYPE_RGB;
    default:
      return PNG_COLOR_TYPE_RGB_ALPHA;
  }
}

/// A PNG file that is being written to memory.
class PngWriter {
 public:
  PngWriter() {
    const auto write = [](png_structp png, png_bytep data, png_size_t length) {
      static_cast<Bytes*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(data), length);
    };
    png_set_write_fn(png_, &bytes_, write, nullptr);
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // what a header may say, at most
  }
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;
  ~PngWriter() { png_destroy_write_struct(&png_, &info_); }

  void header(std::uint32_t width, std::uint32_t height, int depth, int colour, bool interlaced) {
    png_set_IHDR(png_, info_, width, height, depth, colour, interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  }

  void palette(const at::Tensor& colours) {
    const at::Tensor values = colours.to(at::kByte).contiguous();
    std::vector<png_color> entries;
    for (std::int64_t i = 0; i < values.size(0); ++i) {
      const std::uint8_t* const value = values.data_ptr<std::uint8_t>() + 3 * i;
      entries.push_back({value[0], value[1], value[2]});
    }
    png_set_PLTE(png_, info_, entries.data(), static_cast<int>(entries.size()));
  }

  void transparent_places(std::int64_t n) {
    const std::vector<png_byte> alpha(static_cast<std::size_t>(n), 0);
    png_set_tRNS(png_, info_, alpha.data(), static_cast<int>(n), nullptr);
  }

  void transparent_colour(const at::Tensor& pixel) {
    const auto sample = [&](std::int64_t channel) {
      return static_cast<png_uint_16>(pixel[channel % pixel.numel()].item<std::int64_t>());
    };
    png_color_16 colour{};
    colour.red = sample(0);
    colour.green = sample(1);
    colour.blue = sample(2);
    colour.gray = sample(0);
    png_set_tRNS(png_, info_, nullptr, 0, &colour);
  }

  void gamma(double value) { png_set_gAMA(png_, info_, value); }

  void begin() { png_write_info(png_, info_); }

  void chunk(const char* type, const Bytes& content) {
    png_write_chunk(png_, reinterpret_cast<png_const_bytep>(type), reinterpret_cast<png_const_bytep>(content.data()),
                    content.size());
  }

  void rows(const at::Tensor& pixels, int depth) {
    png_set_packing(png_);  // samples of less than 8 bits come a byte each
    const int passes = png_set_interlace_handling(png_);
    for (int pass = 0; pass < passes; ++pass) {
      for (std::int64_t y = 0; y < pixels.size(0); ++y) {
        png_write_row(png_, row_of(pixels[y], depth).data());
      }
    }
    png_write_end(png_, info_);
  }

  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_{};
  png_structp png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info_ = png_create_info_struct(png_);
};

}  // namespace

Bytes png(const at::Tensor& samples, const PngForm& form) {
  const at::Tensor pixels = by_pixel(samples);
  const int colour = form.palette.defined() ? PNG_COLOR_TYPE_PALETTE : png_colour(pixels.size(2));
  PngWriter writer;
  writer.header(static_cast<std::uint32_t>(pixels.size(1)), static_cast<std::uint32_t>(pixels.size(0)), form.depth,
                colour, form.interlaced);
  if (form.palette.defined()) {
    writer.palette(form.palette);
  }
  if (form.transparent && form.palette.defined()) {
    writer.transparent_places(form.palette.size(0));
  } else if (form.transparent) {
    writer.transparent_colour(pixels[0][0]);
  }
  if (form.gamma) {
    writer.gamma(*form.gamma);
  }
  writer.begin();
  writer.rows(pixels, form.depth);
  return writer.bytes();
}

Bytes png_without_pixels(std::uint32_t width, std::uint32_t height) {
  PngWriter writer;
  writer.header(width, height, 8, PNG_COLOR_TYPE_RGB, false);
  writer.begin();
  writer.chunk("IDAT", "");
  writer.chunk("IEND", "");
  return writer.bytes();
}

Bytes jpeg(const at::Tensor& samples, const JpegForm& form) {
  const at::Tensor pixels = by_pixel(samples);
  const std::int64_t channels = pixels.size(2);
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long length = 0;  // NOLINT(google-runtime-int): libjpeg's type
  jpeg_mem_dest(&info, &memory, &length);

  info.image_width = static_cast<JDIMENSION>(pixels.size(1));
  info.image_height = static_cast<JDIMENSION>(pixels.size(0));
  info.input_components = static_cast<int>(channels);
  info.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  if (form.ycck) {
    jpeg_set_colorspace(&info, JCS_YCCK);
  }
  jpeg_set_quality(&info, 100, TRUE);
  info.optimize_coding = TRUE;  // small tables: tests go through them byte by byte
  if (channels == 4) {
    info.write_Adobe_marker = form.adobe ? TRUE : FALSE;
  }
  if (form.progressive) {
    jpeg_simple_progression(&info);
  }

  jpeg_start_compress(&info, TRUE);
  if (!form.orientation.empty()) {
    jpeg_write_marker(&info, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(form.orientation.data()),
                      static_cast<unsigned>(form.orientation.size()));
  }
  for (std::int64_t y = 0; y < pixels.size(0); ++y) {
    std::vector<unsigned char> bytes = row_of(pixels[y], 8);
    JSAMPROW row = bytes.data();
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  Bytes file(reinterpret_cast<const char*>(memory), length);
  std::free(memory);
  return file;
}

Bytes resized_header(const Bytes& jpeg, std::uint32_t width, std::uint32_t height) {
  // The marker, its length (2 bytes), the bits a sample (1 byte), and then the height and the width (2 bytes each).
  const std::size_t frame = jpeg.find("\xFF\xC0");
  REQUIRE(frame != Bytes::npos);
  Bytes bytes = jpeg;
  bytes[frame + 5] = static_cast<char>(height >> 8);
  bytes[frame + 6] = static_cast<char>(height & 0xFF);
  bytes[frame + 7] = static_cast<char>(width >> 8);
  bytes[frame + 8] = static_cast<char>(width & 0xFF);
  return bytes;
}
