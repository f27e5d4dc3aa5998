#pragma once
// No LibTorch.

#include <cstdint>
#include <optional>
#include <string_view>

#include "regimen/base/error.hpp"
#include "regimen/record/history.hpp"

namespace regimen::inline v0::detail {

inline void check_hold(std::string_view field, std::int64_t hold) {
  require(hold >= 1, field, "at least 1", hold);
}

/// Whether a condition held in each of the last `hold` scorings. says(epoch) returns a std::optional<bool>: nullopt if
/// the epoch was not scored; such an epoch neither counts nor interrupts the streak.
template <class Says>
bool streak(const History& history, std::int64_t hold, Says&& says) {
  std::int64_t row = 0;
  for (const Epoch& epoch : history) {
    const std::optional<bool> so = says(epoch);
    if (so) {
      row = *so ? row + 1 : 0;
    }
  }
  return row >= hold;
}

}  // namespace regimen::inline v0::detail
