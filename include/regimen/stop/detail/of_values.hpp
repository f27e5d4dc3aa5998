#pragma once
// No LibTorch.

#include <string>
#include <type_traits>

#include "regimen/base/integer.hpp"
#include "regimen/base/manifest.hpp"
#include "regimen/record/reads.hpp"

namespace regimen::inline v0::detail {

/// Whether an object is described fully by its fields: numbers, enumerations, text, lists and plain structs of these.
/// Not a lambda, a pointer, a function or a class with private members, which may read something that changes.
template <class T>
bool is_of_values(const T& value) {
  if constexpr (requires { bool{value.is_of_values()}; }) {
    return value.is_of_values();
  } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_same_v<T, std::string> ||
                       std::is_same_v<T, Integer> || std::is_same_v<T, Integers>) {
    return true;
  } else if constexpr (is_optional<T>) {
    return !value || is_of_values(*value);
  } else if constexpr (HasParts<T>) {
    bool all = true;
    for_each_part(value, [&all](const auto& part) { all = all && is_of_values(part); });
    return all;
  } else {
    return false;
  }
}

}  // namespace regimen::inline v0::detail
