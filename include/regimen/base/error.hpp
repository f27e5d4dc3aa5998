#pragma once
// No LibTorch.

#include <charconv>
#include <concepts>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include "regimen/base/config.hpp"

namespace regimen::inline v0 {

/// An error of use: a field out of its bounds, data that cannot be used, a file that is not what it claims to be.
///
/// The message names the type, the field, the bound and the value. `run` raises the errors of all phases before the
/// first step. Outcomes of training, such as divergence, are values instead (see `Ended`).
class Error : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

namespace detail {

/// The shortest text that reads back as the same number.
template <class T>
  requires std::is_arithmetic_v<T>
std::string text(T value) {
  if constexpr (std::same_as<T, bool>) {
    return value ? "true" : "false";
  } else {
    char buffer[64];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
    return std::string(buffer, end);
  }
}

inline std::string text(std::string_view value) {
  return std::string(value);
}

/// Throws "UniformLabels.fraction must be in [0, 1], but is 1.5" unless `holds`.
template <class T>
void require(bool holds, std::string_view field, std::string_view bound, const T& value) {
  if (!holds) {
    throw Error(std::string(field) + " must be " + std::string(bound) + ", but is " + text(value));
  }
}

}  // namespace detail
}  // namespace regimen::inline v0
