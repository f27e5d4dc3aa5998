#pragma once
// No LibTorch.

#include <charconv>
#include <string_view>
#include <system_error>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// Whether the whole word is one number, independent of the locale, and that number in `value`. Accepts "inf" and
/// "-inf".
template <class T>
bool read_number(std::string_view word, T& value) {
  const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), value);
  return failure == std::errc() && end == word.data() + word.size();
}

}  // namespace regimen::inline v0::detail
