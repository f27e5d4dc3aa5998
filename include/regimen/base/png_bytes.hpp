#pragma once
// No LibTorch.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "regimen/base/config.hpp"
#include "regimen/base/error.hpp"

/// PNG files (ISO 15948) without compression, from rows that are made already.
namespace regimen::inline v0::detail::png_bytes {

/// A checksum of PNG (ISO 3309): the remainder of a division of polynomials over bits.
inline std::uint32_t crc32_of(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : bytes) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 1U) != 0 ? (crc >> 1U) ^ 0xEDB88320U : crc >> 1U;
    }
  }
  return ~crc;
}

/// A checksum of zlib (RFC 1950): two sums modulo the largest prime below 2^16.
inline std::uint32_t adler32_of(std::string_view bytes) {
  std::uint32_t sum = 1;
  std::uint32_t sum_of_sums = 0;
  for (const char c : bytes) {
    sum = (sum + static_cast<std::uint8_t>(c)) % 65521U;
    sum_of_sums = (sum_of_sums + sum) % 65521U;
  }
  return (sum_of_sums << 16U) | sum;
}

inline std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    bytes += static_cast<char>(static_cast<std::uint8_t>(value >> shift));
  }
  return bytes;
}

/// The bytes in zlib's format (RFC 1950, 1951), in stored blocks, without compression.
inline std::string stored_zlib(std::string_view bytes) {
  constexpr std::size_t most = 65535;
  std::string result = "\x78\x01";
  std::size_t at = 0;
  do {
    const std::string_view block = bytes.substr(at, most);
    at += block.size();
    const auto size = static_cast<std::uint32_t>(block.size());
    result += static_cast<char>(at == bytes.size() ? 1 : 0);
    for (const std::uint32_t number : {size, ~size}) {
      result += static_cast<char>(static_cast<std::uint8_t>(number));
      result += static_cast<char>(static_cast<std::uint8_t>(number >> 8U));
    }
    result += block;
  } while (at < bytes.size());
  return result + big_endian(adler32_of(bytes));
}

/// Throws Error for an image whose rows, stored as they are, do not fit into the one chunk that `file` writes.
inline void check_size(std::size_t height, std::size_t row, const std::string& where) {
  constexpr std::size_t most = 0x7FFFFFFF;
  constexpr std::size_t block = 65535;  // five bytes more each
  const std::size_t bytes = height * (row + 1);
  require(bytes + 5 * (bytes / block + 1) + 6 <= most, where + ": bytes of the file's chunk",
          "at most 2^31 - 1 (make the image smaller, or several images of it)", bytes + 5 * (bytes / block + 1) + 6);
}

inline std::string chunk(const std::string& name, const std::string& data) {
  return big_endian(static_cast<std::uint32_t>(data.size())) + name + data + big_endian(crc32_of(name + data));
}

/// What the number of each pixel means.
enum class ColourType : std::uint8_t { grey = 0, rgb = 2, palette = 3, grey_alpha = 4, rgb_alpha = 6 };

struct Head {
  std::size_t height;
  std::size_t width;
  unsigned bits;  ///< a channel
  ColourType type;
};

/// A PNG file. rows: each behind the number of its filter, 0 for none. palette: empty without one.
inline std::string file(const Head& head, const std::string& palette, const std::string& rows) {
  std::string header =
      big_endian(static_cast<std::uint32_t>(head.width)) + big_endian(static_cast<std::uint32_t>(head.height));
  header += static_cast<char>(head.bits);
  header += static_cast<char>(head.type);
  header.append(3, '\0');
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + (palette.empty() ? "" : chunk("PLTE", palette)) +
         chunk("IDAT", stored_zlib(rows)) + chunk("IEND", "");
}

}  // namespace regimen::inline v0::detail::png_bytes
