#pragma once
// No LibTorch.

#include <algorithm>
#include <string>
#include <vector>

#include <regimen/experiment/errors.hpp>

namespace kit {

/// Throws UsageError for a value that an option names twice: "--copies must have each number once".
template <class T>
void check_once(const std::string& what, std::vector<T> values) {
  std::sort(values.begin(), values.end());
  if (std::adjacent_find(values.begin(), values.end()) != values.end()) {
    throw regimen::experiment::UsageError(what + " once");
  }
}

}  // namespace kit
