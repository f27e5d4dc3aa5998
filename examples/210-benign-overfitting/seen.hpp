#pragma once
// No LibTorch. The program's numbers over seeds.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <regimen/experiment/results.hpp>
#include <regimen/statistics.hpp>

#include "settings.hpp"

/// The largest magnitude of the values.
inline double largest(const std::vector<double>& values) {
  double most = 0;
  for (const double value : values) {
    most = std::max(most, std::abs(value));
  }
  return most;
}

struct Seen {
  const regimen::experiment::Results& results;
  const BenignSettings& settings;

  /// What a part varies, as far as there are results.
  [[nodiscard]] std::vector<int> present(Part part) const {
    std::vector<int> found;
    for (const int at : values_of(settings, part)) {
      if (results.find({{"part", name_of(part)}, {"at", std::to_string(at)}}) != nullptr) {
        found.push_back(at);
      }
    }
    return found;
  }

  /// A number of each seed: a function of the result, or a measure.
  template <class Number>
  [[nodiscard]] std::vector<double> values(Part part, int at, const Number& number) const {
    return results.where({{"part", name_of(part)}, {"at", std::to_string(at)}}).values(number);
  }
  [[nodiscard]] std::vector<double> values(Part part, int at, const char* measure) const {
    return values(part, at, [&](const regimen::experiment::Result& each) { return each.measure(measure); });
  }
  [[nodiscard]] regimen::Interval mean(Part part, int at, const char* measure) const {
    return regimen::mean_interval(values(part, at, measure));
  }

  /// The exponent of a lazy measure as a power of the width, of each seed alone.
  [[nodiscard]] regimen::Interval slope(const char* measure) const {
    std::vector<double> slopes;
    for (int seed = 1; seed <= settings.lazy_seeds; ++seed) {
      std::vector<double> x, y;
      for (const int at : settings.widths) {
        if (const auto* const found = results.find(Cell{Part::lazy, at, seed}.factors())) {
          x.push_back(at);
          y.push_back(found->measure(measure));
        }
      }
      if (x.size() >= 2) {
        slopes.push_back(regimen::log_log_slope(x, y));
      }
    }
    return regimen::mean_interval(slopes);
  }
};
