#pragma once
// No LibTorch.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/utf8.hpp"

/// Texts and numbers of an SVG picture.
namespace regimen::inline v0::detail::reports {

/// Font sizes, in px.
inline constexpr double picture_title_size = 14;
inline constexpr double title_size = 12.5;
inline constexpr double label_size = 12;
inline constexpr double small_size = 11;
inline constexpr double bold_width = 1.17;  ///< width of bold letters, relative to others
inline constexpr const char* text_colour = "#222222";
inline constexpr const char* soft_colour = "#555555";

/// A coordinate as text, to a hundredth of a px: "12.5", "3", never "-0". Clamped to [-1e6, 1e6], since some viewers
/// cannot read large numbers.
inline std::string px(double value) {
  constexpr double far = 1e6;
  char buffer[64];
  const double rounded = std::round(std::clamp(value, -far, far) * 100) / 100;
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, rounded == 0 ? 0 : rounded).ptr;
  return {buffer, end};
}

/// The text escaped for XML. Characters that XML forbids become U+FFFD, control characters a space.
inline std::string xml_text(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const Character next = character_at(text, at);
    const std::string_view bytes = text.substr(at, next.bytes);
    at += next.bytes;
    if (bytes == "&") {
      result += "&amp;";
    } else if (bytes == "<") {
      result += "&lt;";
    } else if (bytes == ">") {
      result += "&gt;";
    } else if (bytes == "\"") {
      result += "&quot;";
    } else if (next.code < 0x20) {
      result += ' ';
    } else if (next.code == 0xFFFD || next.code == 0xFFFE || next.code == 0xFFFF) {
      result += "\uFFFD";
    } else {
      result += bytes;
    }
  }
  return result;
}

/// The approximate width of a text in px, in DejaVu Sans, which is wider than most fonts.
inline double text_width(std::string_view text, double size) {
  // From the space to "~", in hundredths of the font size.
  constexpr std::array<unsigned char, 95> widths{
      32, 40, 46, 84, 64, 95, 78, 28, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64,
      64, 64, 34, 34, 84, 84, 84, 53, 99, 68, 69, 70, 77, 63, 58, 77, 75, 30, 30, 66, 56, 86, 75, 79,
      60, 79, 69, 63, 61, 73, 68, 99, 69, 61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63,
      63, 28, 28, 58, 28, 97, 63, 61, 63, 63, 41, 52, 39, 63, 59, 82, 59, 59, 53, 64, 34, 64, 84};
  double width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Character next = character_at(text, at);
    at += next.bytes;
    const bool is_known = next.code >= 32 && next.code < 127;
    width += is_known ? widths[next.code - 32] / 100.0 : 0.64 * static_cast<double>(columns_of(next.code));
  }
  return width * size;
}

/// The lines of a text: broken at line breaks, and between words if a line would be wider than `most` px.
inline std::vector<std::string> broken(std::string_view text, double size, double most) {
  std::vector<std::string> lines{""};
  std::string word;
  const auto put_word = [&](char end) {
    std::string& line = lines.back();
    if (line.empty()) {
      line = word;
    } else if (!word.empty() && text_width(line + " " + word, size) > most) {
      lines.push_back(word);
    } else if (!word.empty()) {
      line += " " + word;
    }
    word.clear();
    if (end == '\n') {
      lines.emplace_back();
    }
  };
  for (const char c : text) {
    if (c == ' ' || c == '\n') {
      put_word(c);
    } else {
      word += c;
    }
  }
  put_word(' ');
  return lines;
}

inline double widest(const std::vector<std::string>& lines, double size) {
  double width = 0;
  for (const std::string& line : lines) {
    width = std::max(width, text_width(line, size));
  }
  return width;
}

/// The font and alignment of a text.
struct TextStyle {
  double size = small_size;
  std::string_view anchor = "start";  ///< "start", "middle", "end"
  std::string_view colour = text_colour;
  bool bold = false;
  bool code = false;
  double turned = 0;  ///< degrees, clockwise, about the text's position
};

/// One line of text with its baseline at `y`.
inline std::string text_at(double x, double y, std::string_view text, const TextStyle& how) {
  if (text.empty()) {
    return "";
  }
  std::string result = "<text x=\"" + px(x) + "\" y=\"" + px(y) + "\" font-size=\"" + px(how.size) + "\" fill=\"" +
                       std::string(how.colour) + "\"";
  if (how.anchor != "start") {
    result += " text-anchor=\"" + std::string(how.anchor) + "\"";
  }
  result += how.bold ? " font-weight=\"bold\"" : "";
  result += how.code ? " font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" xml:space=\"preserve\"" : "";
  if (how.turned != 0) {
    result += " transform=\"rotate(" + px(how.turned) + " " + px(x) + " " + px(y) + ")\"";
  }
  return result + ">" + xml_text(text) + "</text>\n";
}

/// The distance from one baseline to the next, in px.
inline double line_height(double size) {
  return std::round(size * 1.25);
}

/// Lines of text, the first with its baseline at `y`.
inline std::string lines_at(double x, double y, const std::vector<std::string>& lines, const TextStyle& how) {
  std::string result;
  for (const std::string& line : lines) {
    result += text_at(x, y, line, how);
    y += line_height(how.size);
  }
  return result;
}

}  // namespace regimen::inline v0::detail::reports
