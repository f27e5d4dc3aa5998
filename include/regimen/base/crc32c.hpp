#pragma once
// No LibTorch.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// The remainders of all bytes, of a division by Castagnoli's polynomial.
inline constexpr std::array<std::uint32_t, 256> crc32c_of_byte = [] {
  std::array<std::uint32_t, 256> remainders{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 1U) != 0 ? (crc >> 1U) ^ 0x82F63B78U : crc >> 1U;
    }
    remainders[byte] = crc;
  }
  return remainders;
}();

/// The checksum CRC-32C of iSCSI (RFC 3720, appendix B.4), which TensorFlow's record files have. It is not the CRC-32
/// of zlib: the polynomials differ.
inline std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : bytes) {
    crc = crc32c_of_byte[(crc ^ static_cast<std::uint8_t>(c)) & 0xFFU] ^ (crc >> 8U);
  }
  return ~crc;
}

}  // namespace regimen::inline v0::detail
