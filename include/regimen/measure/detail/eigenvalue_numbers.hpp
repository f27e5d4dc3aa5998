#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "regimen/curvature/top.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/record/history.hpp"

namespace regimen::inline v0::detail {

/// The name of an eigenvalue in a measure's numbers: "largest", "largest_2", "largest_3", ...
inline std::string eigenvalue_name(const char* end, std::size_t i) {
  return i == 0 ? end : end + ("_" + std::to_string(i + 1));
}

/// The names of the numbers of a measure of eigenvalues: largest, smallest, and "residual".
inline std::vector<std::string> eigenvalue_names(const TopOptions& how) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < static_cast<std::size_t>(how.largest.value); ++i) {
    names.push_back(eigenvalue_name("largest", i));
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(how.smallest.value); ++i) {
    names.push_back(eigenvalue_name("smallest", i));
  }
  names.emplace_back("residual");
  return names;
}

/// The eigenvalues under these names, NaN for those that there are not, and the largest of their residuals.
inline Numbers eigenvalue_numbers(const SpectrumEnds& ends, const TopOptions& how) {
  Numbers numbers;
  for (const std::string& name : eigenvalue_names(how)) {
    numbers[name] = unknown;
  }
  double residual = 0;
  const auto add = [&](const std::vector<Eigenpair>& pairs, const char* end) {
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      numbers[eigenvalue_name(end, i)] = pairs[i].value;
      residual = std::max(residual, pairs[i].residual);
    }
  };
  add(ends.largest, "largest");
  add(ends.smallest, "smallest");
  numbers["residual"] = residual;
  return numbers;
}

}  // namespace regimen::inline v0::detail
