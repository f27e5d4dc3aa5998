#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <regimen/statistics/mean.hpp>

#include "format.hpp"

namespace kit {

/// number(run) for each of some runs, without those where it is NaN.
template <class Runs, class Number>
std::vector<double> values_of(const Runs& runs, const Number& number) {
  std::vector<double> values;
  for (const auto& run : runs) {
    if (const double value = static_cast<double>(number(run)); !std::isnan(value)) {
      values.push_back(value);
    }
  }
  return values;
}

/// The mean of number(run) over some runs with its Student-t interval.
template <class Runs, class Number>
regimen::Interval mean_of(const Runs& runs, const Number& number) {
  return regimen::mean_interval(values_of(runs, number));
}

/// The least and the largest of some whole numbers: "3-12", "3", or "-" for none.
inline std::string range_of(const std::vector<double>& values) {
  if (values.empty()) {
    return "-";
  }
  const auto [least, largest] = std::minmax_element(values.begin(), values.end());
  return *least == *largest ? format("%.0f", *least) : format("%.0f-%.0f", *least, *largest);
}

}  // namespace kit
