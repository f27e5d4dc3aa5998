#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

/// Two ways of doing one thing, timed in turn in one process, so that the machine's moods meet both alike.
struct Ratio {
  double median = 0;
  double low = 0;      ///< a quarter of the pairs are below
  double high = 0;     ///< a quarter are above
  double seconds = 0;  ///< of the second, the reference: median
};

template <class Work>
double seconds_of(Work&& work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

inline double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

/// Times `ours` over `reference`, `pairs` times, first one then the other first; the first pair warms up and is left
/// out.
template <class Ours, class Reference>
Ratio interleaved(int pairs, Ours&& ours, Reference&& reference) {
  std::vector<double> ratios;
  std::vector<double> references;
  for (int i = 0; i <= pairs; ++i) {
    double a = 0;
    double b = 0;
    if (i % 2 == 0) {
      a = seconds_of(ours);
      b = seconds_of(reference);
    } else {
      b = seconds_of(reference);
      a = seconds_of(ours);
    }
    if (i > 0) {
      ratios.push_back(a / b);
      references.push_back(b);
    }
  }
  return {quantile(ratios, 0.5), quantile(ratios, 0.25), quantile(ratios, 0.75), quantile(references, 0.5)};
}
