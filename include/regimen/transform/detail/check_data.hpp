#pragma once
// No LibTorch.

#include <string>

#include "regimen/record/reads.hpp"

namespace regimen::inline v0 {

class Source;

namespace detail {

struct DataSoFar;

/// Checks whether data suit a transform: calls its `void check_data(const Source& data, const std::string& who) const`,
/// or, if it has none, checks the transforms among its fields and their fields. Throws Error. `run` does this before
/// the first step, `frozen` at once. data: as the transforms before this one leave them. who: the transform's name for
/// the user, "Phase \"train\".augment[0]". The library's own transforms may have `check_data_so_far` instead, which
/// also gets the data before those transforms.
template <class T>
void check_data_of(const T& value, const DataSoFar& so_far, const Source& data, const std::string& who) {
  constexpr bool asks = requires { value.check_data(data, who); };
  static_assert(
      asks || !requires(T& changing) { changing.check_data(data, who); },
      "check_data must be const: void check_data(const regimen::Source&, const std::string&) const");
  if constexpr (requires { value.check_data_so_far(so_far, who); }) {
    value.check_data_so_far(so_far, who);
  } else if constexpr (asks) {
    value.check_data(data, who);
  } else if constexpr (HasParts<T>) {
    for_each_part(value, [&](const auto& part) { check_data_of(part, so_far, data, who); });
  }
}

}  // namespace detail
}  // namespace regimen::inline v0
