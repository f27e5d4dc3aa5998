#pragma once
// No LibTorch.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/text_list.hpp"

namespace regimen::inline v0 {

/// A whole number as a field, read as an int64. Made from any integer type, also from a `size()`, which braces would
/// not narrow to int64. Numbers above 2^63 - 1 become 2^63 - 1.
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

/// A list of whole numbers as a field: made from a vector of any integer type, or from a list in braces.
class Integers {
 public:
  Integers() = default;
  Integers(std::initializer_list<Integer> numbers) : numbers_(numbers.begin(), numbers.end()) {}
  template <std::integral I>
  Integers(const std::vector<I>& numbers) {  // NOLINT: a vector of them is one
    for (const I number : numbers) {
      numbers_.push_back(Integer(number));
    }
  }

  [[nodiscard]] auto begin() const { return numbers_.begin(); }
  [[nodiscard]] auto end() const { return numbers_.end(); }
  [[nodiscard]] std::size_t size() const { return numbers_.size(); }
  [[nodiscard]] bool empty() const { return numbers_.empty(); }
  [[nodiscard]] std::int64_t operator[](std::size_t i) const { return numbers_[i]; }

  [[nodiscard]] std::string manifest() const {
    std::string text;
    for (const std::int64_t number : numbers_) {
      detail::add_item(text, detail::text(number));
    }
    return "[" + text + "]";
  }

 private:
  std::vector<std::int64_t> numbers_;
};

}  // namespace regimen::inline v0
