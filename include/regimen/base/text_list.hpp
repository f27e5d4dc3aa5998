#pragma once
// No LibTorch.

#include <string>
#include <string_view>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// Adds an item to a list that is one text: to "a, b" and "c" belongs "a, b, c". (Not `(... ? "" : ", ") + item`: at
/// -O3 g++ 12 takes that for an overlap in memory, and warns in the code of users.)
inline void add_item(std::string& list, std::string_view item, std::string_view separator = ", ") {
  if (!list.empty()) {
    list += separator;
  }
  list += item;
}

}  // namespace regimen::inline v0::detail
