#include <regimen/report/pixels.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "support/histories.hpp"
#include "support/numbers.hpp"

namespace pixels_test {

namespace report = regimen::report;
using namespace std::string_literals;
using regimen::detail::png_bytes::adler32_of;
using regimen::detail::png_bytes::crc32_of;
using regimen::detail::png_bytes::stored_zlib;
using regimen::detail::reports::base64;
using regimen::detail::reports::png;

TEST_CASE("pixels: both checksums have their published values") {
  CHECK(crc32_of("123456789") == 0xCBF43926U);  // the check value of CRC-32 in every catalogue of them
  CHECK(crc32_of("IEND") == 0xAE426082U);       // ends every PNG
  CHECK(crc32_of("") == 0);
  CHECK(adler32_of("Wikipedia") == 0x11E60398U);
  CHECK(adler32_of("") == 1);
}

TEST_CASE("pixels: base 64 has the test vectors of RFC 4648") {
  CHECK(base64("").empty());
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foob") == "Zm9vYg==");
  CHECK(base64("fooba") == "Zm9vYmE=");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64("\xFF\xFE"s) == "//4=");
}

TEST_CASE("pixels: stored blocks say their length, its complement and the sum of all") {
  CHECK(stored_zlib("a") == "\x78\x01\x01\x01\x00\xFE\xFF\x61\x00\x62\x00\x62"s);
  const std::string two = stored_zlib(std::string(70000, 'x'));
  CHECK(two.size() == 2 + 5 + 65535 + 5 + 4465 + 4);
  CHECK(two.substr(2, 5) == "\x00\xFF\xFF\x00\x00"s);              // more follows; 65535
  CHECK(two.substr(2 + 5 + 65535, 5) == "\x01\x71\x11\x8E\xEE"s);  // the last; 4465 = 0x1171
}

TEST_CASE("pixels: an image of two colours takes one bit a pixel") {
  const report::Rgb black{0, 0, 0};
  const report::Rgb white{255, 255, 255};
  const report::Pixels pixels{.height = 2, .width = 3, .colours = {white, black, white, black, black, white}};
  const std::string rows = "\x00\xA0\x00\x20"s;  // 101 and 001, from the left, each behind the filter 0
  CHECK(png(pixels) == "\x89PNG\r\n\x1A\n"s +
                           "\x00\x00\x00\x0DIHDR\x00\x00\x00\x03\x00\x00\x00\x02\x01\x03\x00\x00\x00"s +
                           regimen::detail::png_bytes::big_endian(
                               crc32_of("IHDR\x00\x00\x00\x03\x00\x00\x00\x02\x01\x03\x00\x00\x00"s)) +
                           "\x00\x00\x00\x06PLTE\x00\x00\x00\xFF\xFF\xFF"s +
                           regimen::detail::png_bytes::big_endian(crc32_of("PLTE\x00\x00\x00\xFF\xFF\xFF"s)) +
                           "\x00\x00\x00\x0FIDAT"s + stored_zlib(rows) +
                           regimen::detail::png_bytes::big_endian(crc32_of("IDAT" + stored_zlib(rows))) +
                           "\x00\x00\x00\x00IEND\xAE\x42\x60\x82"s);
}

TEST_CASE("pixels: more than 256 colours take three bytes a pixel") {
  report::Pixels pixels{.height = 1, .width = 257};
  for (int i = 0; i < 257; ++i) {
    pixels.colours.push_back({static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i / 256), 7});
  }
  const std::string file = png(pixels);
  CHECK(file[24] == 8);  // bits of a number
  CHECK(file[25] == 2);  // three numbers a pixel
  CHECK(file.find("PLTE") == std::string::npos);
  pixels.width = 256;
  pixels.colours.pop_back();
  CHECK(png(pixels)[25] == 3);
}

TEST_CASE("pixels: an image has a colour for each pixel") {
  const report::Pixels pixels{.height = 2, .width = 2, .colours = {{}, {}, {}}};
  CHECK(error_of([&] { regimen::detail::reports::check("tile", pixels); }) ==
        "tile.colours.size() must be height * width = 4, but is 3");
  CHECK(error_of([&] { regimen::detail::reports::check("tile", report::Pixels{}); }) ==
        "tile.height must be in [1, 65535], but is 0");
  CHECK(error_of([] {
          regimen::detail::reports::check("tile", {.height = 30000, .width = 30000});
        }).find("tile: bytes of the file's chunk must be at most 2^31 - 1 (") == 0);
}

TEST_CASE("pixels_of: bytes of any number of channels, opacity left out") {
  using report::Rgb;
  const auto of = [](std::size_t channels, const std::vector<std::uint8_t>& bytes) {
    return report::pixels_of({.height = 1, .width = 2, .channels = channels, .bytes = bytes}).colours;
  };
  CHECK(of(1, {1, 2}) == std::vector<Rgb>{{1, 1, 1}, {2, 2, 2}});
  CHECK(of(2, {1, 9, 2, 9}) == std::vector<Rgb>{{1, 1, 1}, {2, 2, 2}});
  CHECK(of(3, {1, 2, 3, 4, 5, 6}) == std::vector<Rgb>{{1, 2, 3}, {4, 5, 6}});
  CHECK(of(4, {1, 2, 3, 9, 4, 5, 6, 9}) == std::vector<Rgb>{{1, 2, 3}, {4, 5, 6}});
  CHECK(error_of([&] { (void)of(3, {1}); }).find("pixels_of: image.bytes.size() must be") == 0);
}

}  // namespace pixels_test
