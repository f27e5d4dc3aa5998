#pragma once
// No LibTorch.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"

namespace regimen::inline v0::detail {

/// The differences a[i] - b[i]. Throws Error, in the name of `who`, if the two lengths differ.
inline std::vector<double> differences(std::span<const double> a, std::span<const double> b, const std::string& who) {
  require(a.size() == b.size(), who + ": b.size()", "a.size() = " + text(a.size()), b.size());
  std::vector<double> result;
  for (std::size_t i = 0; i < a.size(); ++i) {
    result.push_back(a[i] - b[i]);
  }
  return result;
}

}  // namespace regimen::inline v0::detail
