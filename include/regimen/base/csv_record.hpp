#pragma once
// No LibTorch.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "regimen/base/error.hpp"

namespace regimen::inline v0::detail {

/// The fields of the CSV record that begins at `at`, without their RFC 4180 quotes; moves `at` to the next record. A
/// quoted field may contain line ends. Throws Error if the text ends within the record.
inline std::vector<std::string> csv_record(std::string_view text, std::size_t& at) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      const bool doubled = quoted && at + 1 < text.size() && text[at + 1] == '"';
      if (doubled) {
        fields.back() += text[++at];
      } else {
        quoted = !quoted;
      }
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else if (c == '\n' && !quoted) {
      ++at;
      return fields;
    } else if (quoted || c != '\r' || text.substr(at, 2) != "\r\n") {
      fields.back() += c;
    }
  }
  throw Error("the line is cut off");
}

}  // namespace regimen::inline v0::detail
