#pragma once
// No LibTorch.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "regimen/base/config.hpp"

/// Characters of UTF-8 texts, one after another.
namespace regimen::inline v0::detail {

struct Character {
  char32_t code = 0xFFFD;  ///< U+FFFD if the bytes are no UTF-8
  std::size_t bytes = 1;
};

/// The character that begins at `text[at]`; at < text.size().
inline Character character_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const std::size_t bytes = byte(0) < 0x80 ? 1 : byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
  if (bytes == 1) {
    return {char32_t{byte(0)}, 1};
  }
  if (byte(0) < 0xC2 || byte(0) > 0xF4 || at + bytes > text.size()) {
    return {};
  }
  auto code = static_cast<char32_t>(byte(0) & (0xFFU >> (bytes + 1)));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      return {};
    }
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool valid = code >= least[bytes] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
  return valid ? Character{code, bytes} : Character{};
}

/// Whether a text is UTF-8 as a whole.
inline bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Character next = character_at(text, at);
    if (next.code == 0xFFFD && next.bytes == 1) {
      return false;
    }
    at += next.bytes;
  }
  return true;
}

/// The terminal columns that a character takes: none if it is drawn on the one before, two if it is Chinese, Japanese,
/// Korean or an emoji, else one.
inline std::size_t columns_of(char32_t code) {
  const auto in = [&](char32_t first, char32_t last) { return code >= first && code <= last; };
  if (in(0x300, 0x36F) || in(0x200B, 0x200F) || in(0x20D0, 0x20F0) || in(0xFE00, 0xFE0F)) {
    return 0;
  }
  return in(0x1100, 0x115F) || in(0x2E80, 0xA4CF) || in(0xAC00, 0xD7A3) || in(0xF900, 0xFAFF) || in(0xFE30, 0xFE6F) ||
                 in(0xFF00, 0xFF60) || in(0xFFE0, 0xFFE6) || in(0x1F300, 0x1FAFF) || in(0x20000, 0x3FFFD)
             ? 2
             : 1;
}

/// The terminal columns that a text takes.
inline std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Character next = character_at(text, at);
    columns += columns_of(next.code);
    at += next.bytes;
  }
  return columns;
}

/// The text on one line: line breaks and tabs become spaces.
inline std::string on_one_line(std::string text) {
  for (char& c : text) {
    c = static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return text;
}

}  // namespace regimen::inline v0::detail
