// Decoding one image, and fitting it to a size.

#include "support/images.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <regimen/datasets/image_file.hpp>

using regimen::fit_image;
using regimen::read_image;

namespace {

namespace fs = std::filesystem;

/// The image in a file of these bytes.
at::Tensor decoded(const Folder& folder, const Bytes& bytes) {
  return read_image(folder.write("image", bytes));
}

/// Reading these bytes is an Error that names the file and says the rest.
void check_refused(const Folder& folder, const Bytes& bytes, std::initializer_list<const char*> parts) {
  const std::string path = folder.write("refused", bytes);
  std::vector<const char*> all(parts);
  const std::string message = error_of([&] { (void)read_image(path); });
  CAPTURE(message);
  CHECK(message.find(path) != std::string::npos);
  for (const char* const part : parts) {
    CAPTURE(part);
    CHECK(message.find(part) != std::string::npos);
  }
}

/// What is left of an image [channels, ...] in colour: grey is repeated, and alpha is gone.
at::Tensor in_colour(const at::Tensor& samples) {
  const std::int64_t channels = samples.size(0);
  if (channels < 3) {
    return samples.narrow(0, 0, 1).expand({3, samples.size(1), samples.size(2)});
  }
  return samples.narrow(0, 0, 3);
}

/// The places of a palette's colours, each of them once and again.
at::Tensor places(std::int64_t height, std::int64_t width, std::int64_t colours) {
  return (at::arange(height * width, at::kLong) * 7).remainder(colours).view({1, height, width});
}

/// The image that places in a palette stand for.
at::Tensor looked_up(const at::Tensor& palette, const at::Tensor& at_places) {
  return palette.index_select(0, at_places.flatten())
      .view({at_places.size(1), at_places.size(2), 3})
      .permute({2, 0, 1});
}

constexpr std::array<std::pair<std::int64_t, std::int64_t>, 6> sizes{
    {{1, 1}, {1, 9}, {9, 1}, {5, 7}, {8, 8}, {33, 17}}};

}  // namespace

TEST_CASE("PNG: an RGB file is read to the last bit") {
  const Folder folder;
  for (const auto& [height, width] : sizes) {
    CAPTURE(height, width);
    const at::Tensor image = rough(height, width);
    const at::Tensor read = decoded(folder, png(image));
    CHECK(read.sizes() == at::IntArrayRef({3, height, width}));
    CHECK(read.is_contiguous());
    CHECK(same(read, image));
  }
}

TEST_CASE("PNG: grey is repeated, alpha is dropped, and the colour below it stays") {
  const Folder folder;
  for (const std::int64_t channels : {1, 2, 3, 4}) {
    for (const bool interlaced : {false, true}) {
      for (const auto& [height, width] : sizes) {
        CAPTURE(channels, interlaced, height, width);
        const at::Tensor samples = rough(height, width, channels);
        CHECK(same(decoded(folder, png(samples, {.interlaced = interlaced})), in_colour(samples)));
      }
    }
  }
  at::Tensor unseen = rough(5, 7, 4);
  unseen[3].zero_();
  CHECK(same(decoded(folder, png(unseen)), in_colour(unseen)));
  unseen = rough(5, 7, 2);
  unseen[1].zero_();
  CHECK(same(decoded(folder, png(unseen)), in_colour(unseen)));
}

TEST_CASE("PNG: grey of 1, 2 and 4 bits goes from 0 to 255 too") {
  const Folder folder;
  for (const int depth : {1, 2, 4}) {
    for (const bool interlaced : {false, true}) {
      CAPTURE(depth, interlaced);
      const int white = (1 << depth) - 1;
      const at::Tensor samples = places(5, 11, white + 1);
      const at::Tensor expected = (samples * (255 / white)).to(at::kByte);
      CHECK(same(decoded(folder, png(samples, {.depth = depth, .interlaced = interlaced})), in_colour(expected)));
    }
  }
}

TEST_CASE("PNG: of 16 bits the higher 8 are taken") {
  const Folder folder;
  for (const std::int64_t channels : {1, 2, 3, 4}) {
    for (const bool interlaced : {false, true}) {
      CAPTURE(channels, interlaced);
      const at::Tensor samples =
          (at::arange(channels * 9 * 14, at::kLong) * 4111 + 255).remainder(65536).view({channels, 9, 14});
      const at::Tensor expected = samples.div(256, "floor").to(at::kByte);
      CHECK(same(decoded(folder, png(samples, {.depth = 16, .interlaced = interlaced})), in_colour(expected)));
    }
  }
}

TEST_CASE("PNG: the colours of a palette are looked up") {
  const Folder folder;
  for (const int depth : {1, 2, 4, 8}) {
    for (const bool transparent : {false, true}) {
      for (const bool interlaced : {false, true}) {
        CAPTURE(depth, transparent, interlaced);
        const at::Tensor palette = rough(1 << depth, 3, 1).view({1 << depth, 3});
        const at::Tensor samples = places(10, 13, 1 << depth);
        const Bytes file =
            png(samples, {.depth = depth, .interlaced = interlaced, .transparent = transparent, .palette = palette});
        CHECK(same(decoded(folder, file), looked_up(palette, samples)));
      }
    }
  }
}

TEST_CASE("PNG: a colour that is said to be transparent stays as it is") {
  const Folder folder;
  for (const std::int64_t channels : {1, 3}) {
    CAPTURE(channels);
    const at::Tensor samples = rough(5, 7, channels);
    CHECK(same(decoded(folder, png(samples, {.transparent = true})), in_colour(samples)));
  }
}

TEST_CASE("PNG: a gamma changes nothing") {
  const Folder folder;
  for (const double gamma : {0.45455, 1.0, 0.1}) {
    for (const std::int64_t channels : {1, 2, 3, 4}) {
      CAPTURE(gamma, channels);
      const at::Tensor samples = rough(5, 7, channels);
      CHECK(same(decoded(folder, png(samples, {.gamma = gamma})), in_colour(samples)));
    }
  }
}

TEST_CASE("PNG: a file cut short at any byte is an Error that names it") {
  const Folder folder;
  for (const bool interlaced : {false, true}) {
    const Bytes whole = png(rough(9, 6), {.interlaced = interlaced});
    for (std::size_t length = 0; length < whole.size(); ++length) {
      CAPTURE(interlaced, length);
      check_refused(folder, whole.substr(0, length), {"cannot be decoded"});
    }
    CHECK_NOTHROW(decoded(folder, whole));
  }
}

TEST_CASE("PNG: a file with a damaged bit is an Error that names it") {
  const Folder folder;
  const Bytes whole = png(rough(2, 2));
  // The last four bytes are the checksum of the end mark, which holds no data; libpng 1.6.48 does not look at them.
  for (std::size_t i = 0; i + 4 < whole.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      CAPTURE(i, bit);
      Bytes damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      check_refused(folder, damaged, {});
    }
  }
}

TEST_CASE("PNG: a header that lies about the size is an Error, not a demand for memory") {
  const Folder folder;
  check_refused(folder, png_without_pixels(20'000, 20'000), {"number of pixels", "at most 100000000", "is 400000000"});
  check_refused(folder, png_without_pixels(1'000'000, 101), {"number of pixels", "at most 100000000", "is 101000000"});
  check_refused(folder, png_without_pixels(0x7FFFFFFF, 0x7FFFFFFF), {"cannot be decoded"});
  check_refused(folder, png_without_pixels(1, 0x7FFFFFFF), {"cannot be decoded"});
  check_refused(folder, png_without_pixels(10, 10), {"cannot be decoded"});
}

TEST_CASE("JPEG: an RGB file is read as well as JPEG keeps it") {
  const Folder folder;
  for (const auto& [height, width] : sizes) {
    CAPTURE(height, width);
    const at::Tensor image = smooth(height, width);
    const at::Tensor read = decoded(folder, jpeg(image));
    CHECK(read.sizes() == at::IntArrayRef({3, height, width}));
    CHECK(read.scalar_type() == at::kByte);
    CHECK(read.is_contiguous());
    CHECK(furthest(read, image) <= 3);
  }
}

TEST_CASE("JPEG: grey is repeated") {
  const Folder folder;
  for (const bool progressive : {false, true}) {
    CAPTURE(progressive);
    const at::Tensor grey = smooth(20, 30, 1);
    const at::Tensor read = decoded(folder, jpeg(grey, {.progressive = progressive}));
    CHECK(read.sizes() == at::IntArrayRef({3, 20, 30}));
    CHECK(furthest(read[0], grey[0]) <= 1);
    CHECK(same(read[1], read[0]));
    CHECK(same(read[2], read[0]));
  }
}

TEST_CASE("JPEG: a progressive file has the pixels of a baseline one") {
  const Folder folder;
  for (const auto& [height, width] : sizes) {
    CAPTURE(height, width);
    const at::Tensor image = smooth(height, width);
    const Bytes baseline = jpeg(image);
    const Bytes progressive = jpeg(image, {.progressive = true});
    REQUIRE(baseline.find("\xFF\xC0") != Bytes::npos);
    REQUIRE(progressive.find("\xFF\xC2") != Bytes::npos);
    CHECK(same(decoded(folder, progressive), decoded(folder, baseline)));
  }
}

TEST_CASE("JPEG: CMYK is the light that its inks leave over, whoever wrote it") {
  const Folder folder;
  const at::Tensor light = smooth(16, 24, 4);  // as Adobe's programs write it and all others read it: 255 is no ink
  const at::Tensor key = light.narrow(0, 3, 1).to(at::kDouble) / 255;
  const at::Tensor expected = light.narrow(0, 0, 3).to(at::kDouble) * key;
  for (const bool progressive : {false, true}) {
    for (const bool adobe : {false, true}) {
      CAPTURE(progressive, adobe);
      const Bytes file = jpeg(light, {.progressive = progressive, .adobe = adobe});
      REQUIRE((file.find("Adobe") != Bytes::npos) == adobe);
      const at::Tensor read = decoded(folder, file);
      CHECK(read.sizes() == at::IntArrayRef({3, 16, 24}));
      CHECK(read.is_contiguous());
      CHECK(furthest(read, expected) <= 2);
    }
  }
  CHECK(furthest(decoded(folder, jpeg(light, {.ycck = true})), expected) <= 3);
}

TEST_CASE("JPEG: which way the camera was held changes nothing") {
  const Folder folder;
  const at::Tensor image = smooth(16, 24);
  // A TIFF file, least significant byte first, of one entry: Orientation (0x112), one short, 6: to be turned right.
  const Bytes turned("Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0", 32);
  CHECK(same(decoded(folder, jpeg(image, {.orientation = turned})), decoded(folder, jpeg(image))));
}

TEST_CASE("JPEG: a blemish that decoders get over is no Error") {
  const Folder folder;
  const Bytes whole = jpeg(smooth(16, 24));
  Bytes blemished = whole;
  blemished.insert(whole.size() - 2, "abc");  // before the marker of the end
  CHECK(same(decoded(folder, blemished), decoded(folder, whole)));
  CHECK(same(decoded(folder, whole + "abc"), decoded(folder, whole)));
}

TEST_CASE("JPEG: a file cut short at any byte is an Error that names it") {
  const Folder folder;
  for (const bool progressive : {false, true}) {
    const Bytes whole = jpeg(smooth(9, 10), {.progressive = progressive});
    for (std::size_t length = 0; length < whole.size(); ++length) {
      CAPTURE(progressive, length);
      check_refused(folder, whole.substr(0, length), {"cannot be decoded"});
    }
    CHECK_NOTHROW(decoded(folder, whole));
  }
}

TEST_CASE("JPEG: a file is cut short too where nothing but the mark of its end is missing") {
  const Folder folder;
  for (std::int64_t side = 1; side <= 40; ++side) {
    CAPTURE(side);
    const Bytes whole = jpeg(rough(side, side, 1));
    check_refused(folder, whole.substr(0, whole.size() - 2), {"cannot be decoded"});
  }
}

TEST_CASE("JPEG: a file with a damaged bit is an Error that names it, or some image") {
  const Folder folder;
  const Bytes whole = jpeg(smooth(8, 8));
  int errors = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      CAPTURE(i, bit);
      Bytes damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      const std::string path = folder.write("damaged", damaged);
      at::Tensor read;
      const std::string message = error_of([&] { read = read_image(path); });
      if (message == "no error") {
        REQUIRE(read.size(0) == 3);
      } else {
        REQUIRE(message.find(path) != std::string::npos);
        ++errors;
      }
    }
  }
  CHECK(errors > 0);
}

TEST_CASE("JPEG: a header that cannot be is an Error") {
  const Folder folder;
  const Bytes whole = jpeg(smooth(8, 8));
  check_refused(folder, resized_header(whole, 20'000, 20'000), {"number of pixels", "at most 100000000", "400000000"});
  check_refused(folder, resized_header(whole, 65'500, 65'500), {"number of pixels", "at most 100000000", "4290250000"});
  check_refused(folder, resized_header(whole, 65'535, 65'535), {"cannot be decoded"});
  check_refused(folder, resized_header(whole, 0, 8), {"cannot be decoded"});
  Bytes precise = whole;
  precise[whole.find("\xFF\xC0") + 4] = 12;
  check_refused(folder, precise, {"cannot be decoded", "precision 12"});
}

TEST_CASE("a file is what its first bytes say, whatever its name") {
  const Folder folder;
  const at::Tensor image = smooth(16, 24);
  const at::Tensor lossy = decoded(folder, jpeg(image));
  for (const char* const name : {"image", "image.png", "image.jpg", "image.JPEG", "image.txt"}) {
    CAPTURE(name);
    CHECK(same(read_image(folder.write(name, png(image))), image));
    CHECK(same(read_image(folder.write(name, jpeg(image))), lossy));
  }
}

TEST_CASE("a file that is no image is an Error that names it") {
  const Folder folder;
  const auto check = [&](const std::string& path, const char* part) {
    check_error([&] { (void)read_image(path); }, {path.c_str(), part});
  };
  check(folder.write("text.png", "This is not an image.\n"), "neither a PNG nor a JPEG file");
  check(folder.write("text.jpg", "JFIF"), "neither a PNG nor a JPEG file");
  check(folder.write("animation.png", Bytes("GIF89a\x01\0\x01\0", 10)), "neither a PNG nor a JPEG file");
  check(folder.write("empty.png", ""), "it is empty");
  check(folder / "absent.png", "No such file");
  fs::create_directory(folder / "sub.png");
  check(folder / "sub.png", "directory");

  // Not damage: this file may be in order.
  const std::string closed = folder.write("closed.png", png(rough(2, 2)));
  fs::permissions(closed, fs::perms::none);
  if (::geteuid() == 0) {
    WARN("not checked: root may read every file");
    return;
  }
  check(closed, "cannot read");
}

TEST_CASE("fitted, a constant image stays constant, and every image is a square of the side") {
  for (const auto& [height, width] : sizes) {
    for (const std::int64_t side : {1, 2, 7, 8, 64}) {
      CAPTURE(height, width, side);
      const at::Tensor colour = at::tensor({0, 77, 255}, at::kByte).view({3, 1, 1});
      const at::Tensor fitted = fit_image(colour.expand({3, height, width}), side);
      CHECK(fitted.is_contiguous());
      CHECK(same(fitted, colour.expand({3, side, side})));
      const at::Tensor any = fit_image(rough(height, width), side);
      CHECK(any.sizes() == at::IntArrayRef({3, side, side}));
      CHECK(any.scalar_type() == at::kByte);
    }
  }
}

TEST_CASE("fitted, an image whose shorter side fits is only cut, to its centre") {
  const at::Tensor square = rough(5, 5);
  CHECK(same(fit_image(square, 5), square));
  const at::Tensor wide = rough(4, 10);
  CHECK(same(fit_image(wide, 4), wide.narrow(2, 3, 4)));
  const at::Tensor high = rough(9, 4);
  CHECK(same(fit_image(high, 4), high.narrow(1, 2, 4)));  // of 5 rows too many, 2 are above
}

TEST_CASE("fitted, a row of 4 pixels becomes one of 2 as a triangle weighs them") {
  // The triangle of a pixel reaches two pixels to either side of its middle: 3/4, 3/4 and 1/4, of 7/4.
  const at::Tensor row = at::tensor({0, 70, 140, 210}, at::kByte);
  const at::Tensor expected = at::tensor({(0 * 3 + 70 * 3 + 140) / 7, (70 + 140 * 3 + 210 * 3) / 7}, at::kByte);
  CHECK(same(fit_image(row.expand({3, 4, 4}), 2), expected.expand({3, 2, 2})));
  CHECK(same(fit_image(row.view({4, 1}).expand({3, 4, 4}), 2), expected.view({2, 1}).expand({3, 2, 2})));
}

TEST_CASE("fitted, a row of 2 pixels becomes one of 4 along a line") {
  const at::Tensor row = at::tensor({40, 80}, at::kByte);
  const at::Tensor expected = at::tensor({40, 50, 70, 80}, at::kByte);
  CHECK(same(fit_image(row.expand({3, 2, 2}), 4), expected.expand({3, 4, 4})));
}

TEST_CASE("fitted, the shorter side is resized and the longer one in proportion, before the centre is cut") {
  // Rows of 4 pixels become 2, and 12 columns become 6: of them the middle two, which lie in the middle four.
  at::Tensor image = at::zeros({3, 4, 12}, at::kByte);
  image.narrow(2, 0, 3).fill_(200);
  image.narrow(2, 9, 3).fill_(200);
  CHECK(same(fit_image(image, 2), at::zeros({3, 2, 2}, at::kByte)));
  CHECK(same(fit_image(image.transpose(1, 2).contiguous(), 2), at::zeros({3, 2, 2}, at::kByte)));
  // A mirror image is fitted to a mirror image, but for rounding.
  const at::Tensor any = rough(6, 10);
  CHECK(furthest(fit_image(any.flip(2), 3), fit_image(any, 3).flip(2)) <= 1);
}

TEST_CASE("fitted, an image far longer than wide is an Error, not a demand for memory") {
  check_error([] { (void)fit_image(at::zeros({3, 1, 1'000'000}, at::kByte), 64); },
              {"number of pixels", "at most 100000000", "is 4096000000"});
  CHECK(fit_image(at::zeros({3, 1, 1'000'000}, at::kByte), 1).sizes() == at::IntArrayRef({3, 1, 1}));
}
