#pragma once
// No LibTorch.

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include "regimen/error.hpp"

namespace regimen::inline v0 {

/// A whole number as a field: takes any integer type, a `size()` too, which braces would refuse to narrow to another
/// one. Reads as an int64. What is beyond 2^63 - 1 becomes 2^63 - 1.
struct Integer {
  std::int64_t value = 0;

  constexpr Integer() = default;
  template <std::integral I>
    requires(!std::is_same_v<I, bool>)
  constexpr Integer(I number)  // NOLINT: an integer is one
      : value(std::in_range<std::int64_t>(number) ? static_cast<std::int64_t>(number)
                                                  : std::numeric_limits<std::int64_t>::max()) {}

  constexpr operator std::int64_t() const { return value; }  // NOLINT: it reads as one

  constexpr Integer& operator+=(std::int64_t other) { return *this = value + other; }
  constexpr Integer& operator-=(std::int64_t other) { return *this = value - other; }
  constexpr Integer& operator*=(std::int64_t other) { return *this = value * other; }
  constexpr Integer& operator/=(std::int64_t other) { return *this = value / other; }
  constexpr Integer& operator++() { return *this += 1; }
  constexpr Integer& operator--() { return *this -= 1; }

  [[nodiscard]] std::string manifest() const { return detail::text(value); }
  friend std::string text(const Integer& number) { return number.manifest(); }
};

}  // namespace regimen::inline v0
