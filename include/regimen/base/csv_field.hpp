#pragma once
// No LibTorch.

#include <cmath>
#include <string>

#include "regimen/base/error.hpp"

/// What every comma-separated file of the library is written with: RFC 4180, but for lines that end in "\n" alone.
namespace regimen::inline v0::detail {

/// A CSV field: quoted where RFC 4180 wants it.
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

/// A CSV number: the shortest text that reads back as the same double, nothing where it was not measured.
inline std::string csv_number(double value) {
  return std::isnan(value) ? "" : text(value);
}

}  // namespace regimen::inline v0::detail
