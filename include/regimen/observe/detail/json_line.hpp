#pragma once
// No LibTorch.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "regimen/base/error.hpp"
#include "regimen/observe/detail/number.hpp"
#include "regimen/record/history.hpp"

namespace regimen::inline v0::detail {

/// Reader of one line of JSON: a flat object of texts, numbers and null. Everything else (arrays, nested objects, true
/// and false) is never written by JsonLog and is an Error. Errors name what was expected, and the column.
class JsonLine {
 public:
  explicit JsonLine(std::string_view line) : line_(line) {}

  /// Skips white space, then the character `sign`. Returns whether `sign` was there.
  bool take(char sign) {
    skip_white();
    const bool there = at_ < line_.size() && line_[at_] == sign;
    at_ += there ? 1 : 0;
    return there;
  }

  void expect(char sign) {
    if (!take(sign)) {
      fail(std::string("'") + sign + "'");
    }
  }

  void expect_end() {
    skip_white();
    if (at_ < line_.size()) {
      fail("the end of the line");
    }
  }

  std::string text() {
    expect('"');
    std::string result;
    while (at_ < line_.size() && line_[at_] != '"') {
      if (line_[at_] == '\\') {
        ++at_;
        append_escaped(result);
      } else {
        result += line_[at_++];
      }
    }
    expect('"');
    return result;
  }

  /// Reads a number; NaN for null.
  double number() {
    skip_white();
    const std::size_t begin = at_;
    while (at_ < line_.size() && line_[at_] != ',' && line_[at_] != '}' && line_[at_] != ' ') {
      ++at_;
    }
    const std::string_view word = line_.substr(begin, at_ - begin);
    if (word == "null") {
      return unknown;
    }
    double value = 0;
    if (!read_number(word, value) || !std::isfinite(value)) {
      at_ = begin;
      fail("a number or null");
    }
    return value;
  }

  std::int64_t whole_number() {
    skip_white();
    const std::size_t begin = at_;
    while (at_ < line_.size() && (line_[at_] == '-' || (line_[at_] >= '0' && line_[at_] <= '9'))) {
      ++at_;
    }
    std::int64_t value = 0;
    if (!read_number(line_.substr(begin, at_ - begin), value)) {
      at_ = begin;
      fail("a whole number");
    }
    return value;
  }

 private:
  void skip_white() {
    while (at_ < line_.size() && (line_[at_] == ' ' || line_[at_] == '\t' || line_[at_] == '\r')) {
      ++at_;
    }
  }

  [[noreturn]] void fail(const std::string& expected) const {
    throw Error("expected " + expected + " at column " + detail::text(at_ + 1));
  }

  /// Reads the rest of an escape sequence, behind its backslash, and appends it as UTF-8.
  void append_escaped(std::string& result) {
    static constexpr std::string_view signs = "\"\\/bfnrt";
    static constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const std::size_t which = at_ < line_.size() ? signs.find(line_[at_]) : std::string_view::npos;
    if (which != std::string_view::npos) {
      result += meanings[which];
      ++at_;
      return;
    }
    expect('u');
    std::uint32_t code = hexadecimal();
    if (code >= 0xD800 && code < 0xDC00 && line_.substr(at_, 2) == "\\u") {  // the first half of a surrogate pair
      at_ += 2;
      const std::uint32_t second = hexadecimal();
      if (second < 0xDC00 || second >= 0xE000) {
        fail("the second half of a pair before it");
      }
      code = 0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00);
    }
    append_utf8(result, code);
  }

  std::uint32_t hexadecimal() {
    std::uint32_t code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      static constexpr std::string_view digits = "0123456789abcdef";
      const char letter = at_ < line_.size() ? line_[at_] : ' ';
      const std::size_t digit = digits.find(letter >= 'A' && letter <= 'F' ? static_cast<char>(letter + 32) : letter);
      if (digit == std::string_view::npos) {
        fail("four hexadecimal digits");
      }
      code = code << 4 | static_cast<std::uint32_t>(digit);
    }
    return code;
  }

  static void append_utf8(std::string& result, std::uint32_t code) {
    const auto append = [&result](std::uint32_t byte) {
      result += static_cast<char>(static_cast<unsigned char>(byte));
    };
    if (code < 0x80) {
      append(code);
    } else if (code < 0x800) {
      append(0xC0 | code >> 6);
      append(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      append(0xE0 | code >> 12);
      append(0x80 | (code >> 6 & 0x3F));
      append(0x80 | (code & 0x3F));
    } else {
      append(0xF0 | (code >> 18 & 0x07));
      append(0x80 | (code >> 12 & 0x3F));
      append(0x80 | (code >> 6 & 0x3F));
      append(0x80 | (code & 0x3F));
    }
  }

  std::string_view line_;
  std::size_t at_ = 0;
};

}  // namespace regimen::inline v0::detail
