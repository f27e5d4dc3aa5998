#pragma once
// No LibTorch.

#include <cmath>
#include <string>

#include "regimen/base/error.hpp"

/// Writing of comma-separated files (CSV) for the whole library: RFC 4180, except that lines end in "\n" alone.
namespace regimen::inline v0::detail {

/// A CSV field, in quotes where RFC 4180 wants them.
inline std::string csv_field(const std::string& value) {
  if (value.find_first_of(",\"\n\r") == std::string::npos) {
    return value;
  }
  std::string quoted = "\"";
  for (const char c : value) {
    quoted += c == '"' ? "\"\"" : std::string(1, c);
  }
  return quoted + "\"";
}

/// A CSV number: the shortest text that reads back as the same double; empty for NaN (not measured).
inline std::string csv_number(double value) {
  return std::isnan(value) ? "" : text(value);
}

}  // namespace regimen::inline v0::detail
