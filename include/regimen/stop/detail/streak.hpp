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

/// Whether something was so in each of the last `hold` scorings. `says(epoch)` is a std::optional<bool>: nothing where
/// the epoch is no scoring, which neither counts nor interrupts a row.
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
