#pragma once
// No LibTorch.

#include <cmath>
#include <cstdio>
#include <string>

namespace kit {

/// A number of a table with two digits; nothing where it was not measured.
inline std::string cell(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.2f", value);
  return std::isnan(value) ? "" : text;
}

}  // namespace kit
