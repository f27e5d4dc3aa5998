#pragma once
// No LibTorch.

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// The CRC-32 of bytes that follow others, whose CRC-32 is `before`: 0 where none do. Of no bytes it is `before`.
inline std::uint32_t crc32_after(std::uint32_t before, const void* bytes, std::size_t length) {
  // No bytes may have no address, which zlib takes for "begin anew".
  return length == 0 ? before : static_cast<std::uint32_t>(::crc32_z(before, static_cast<const Bytef*>(bytes), length));
}

/// A CRC-32 in eight hexadecimal digits, as Python has it: format(zlib.crc32(bytes), "08x").
inline std::string crc32_digits(std::uint32_t sum) {
  char digits[16];
  std::snprintf(digits, sizeof digits, "%08lx", static_cast<unsigned long>(sum));
  return digits;
}

/// The CRC-32 of a text, or of any bytes, in these digits.
inline std::string crc32_of_text(std::string_view bytes) {
  return crc32_digits(crc32_after(0, bytes.data(), bytes.size()));
}

}  // namespace regimen::inline v0::detail
