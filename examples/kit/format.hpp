#pragma once
// No LibTorch.

#include <cstdarg>
#include <cstdio>
#include <string>

namespace kit {

/// printf into a string of at most 511 characters.
std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));

inline std::string format(const char* pattern, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, pattern);
  std::vsnprintf(line, sizeof line, pattern, arguments);
  va_end(arguments);
  return line;
}

}  // namespace kit
