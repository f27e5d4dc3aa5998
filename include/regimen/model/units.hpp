#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// A tapped tensor [N, units, ...] as [N, 1, units, positions...], with a dimension for the one network; the dimensions
/// behind the units, such as height and width, are positions. Throws Error, in the name of `who`, for another shape,
/// and for a tensor without entries.
[[nodiscard]] inline at::Tensor units_of_tap(const at::Tensor& tap, const std::string& who) {
  if (tap.dim() < 2 || tap.numel() == 0) {
    throw Error(who + " takes taps of [N, units, ...] with at least one entry, not " + detail::described(tap));
  }
  return tap.unsqueeze(1);
}

/// A tapped tensor of `members` equal networks in one module (`networks::StackedLinear`), [N, members, units,
/// positions...], as it is. Throws Error, in the name of `who`, for another shape, and for a tensor without entries.
[[nodiscard]] inline at::Tensor units_of_tap(const at::Tensor& tap, std::int64_t members, const std::string& who) {
  if (tap.dim() < 3 || tap.size(1) != members || tap.numel() == 0) {
    throw Error(who + " with members = " + detail::text(members) + " takes taps of [N, " + detail::text(members) +
                ", units, ...] with at least one entry, not " + detail::described(tap));
  }
  return tap;
}

/// The dimensions of `units_of_tap` that are positions; empty for a layer without.
[[nodiscard]] inline std::vector<std::int64_t> positions_of(const at::Tensor& units) {
  std::vector<std::int64_t> dimensions;
  for (std::int64_t d = 3; d < units.dim(); ++d) {
    dimensions.push_back(d);
  }
  return dimensions;
}

}  // namespace regimen::inline v0
