#pragma once
// No LibTorch.

#include <charconv>
#include <string_view>
#include <system_error>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// Whether all of the word is one number, in any locale; "inf" and "-inf" are.
template <class T>
bool read_number(std::string_view word, T& value) {
  const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), value);
  return failure == std::errc() && end == word.data() + word.size();
}

}  // namespace regimen::inline v0::detail
