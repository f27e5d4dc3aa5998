#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// A tapped tensor with a dimension for the members of an ensemble, [N, members, units, positions...]. Without
/// `members` from [N, units, ...], whose other dimensions, such as height and width, are positions, as the one member;
/// for `members` equal networks in one module (`networks::StackedLinear`) from [N, members, units, ...]. Throws Error,
/// in the name of `who`, for another shape, and for a tensor without entries.
[[nodiscard]] inline at::Tensor units_of_tap(const at::Tensor& tap, std::optional<std::int64_t> members,
                                             const std::string& who) {
  if (tap.dim() < 2 || tap.numel() == 0) {
    throw Error(who + " takes taps of [N, units, ...] with at least one entry, not " + detail::described(tap));
  }
  if (members && (tap.dim() < 3 || tap.size(1) != *members)) {
    throw Error(who + " with members = " + detail::text(*members) + " takes taps of [N, " + detail::text(*members) +
                ", units, ...], not " + detail::described(tap));
  }
  return members ? tap : tap.unsqueeze(1);
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
