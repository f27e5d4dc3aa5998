#pragma once
// No LibTorch.

#include <cmath>
#include <cstddef>
#include <vector>

#include "regimen/base/error.hpp"

namespace regimen::inline v0 {

/// The eigenvalues of a covariance with a flat tail: `spikes` ones, and size - spikes equal values that sum to `tail`.
/// The larger the tail's dimension, the more harmlessly it takes up label noise (Bartlett, Long, Lugosi and Tsigler
/// 2020): with 5 spikes, a tail of 2 and size = n^2 / 5, interpolation is benign. Throws Error unless spikes < size and
/// the tail is above 0 and finite.
///     const auto spectrum = regimen::spiked_spectrum(5, 500, 2);
[[nodiscard]] inline std::vector<double> spiked_spectrum(std::size_t spikes, std::size_t size, double tail) {
  detail::require(spikes < size, "spiked_spectrum: spikes", "less than size = " + detail::text(size), spikes);
  detail::require(tail > 0 && std::isfinite(tail), "spiked_spectrum: tail", "above 0 and finite", tail);
  std::vector<double> spectrum(size, tail / static_cast<double>(size - spikes));
  for (std::size_t i = 0; i < spikes; ++i) {
    spectrum[i] = 1;
  }
  return spectrum;
}

/// The eigenvalues i^-exponent, i = 1 to size. For an exponent above 1 the tail is too short for benign overfitting:
/// the effective ranks of Bartlett et al. (2020) grow with k alone. Throws Error unless size >= 1 and the exponent is
/// at least 0 and finite.
[[nodiscard]] inline std::vector<double> power_law_spectrum(double exponent, std::size_t size) {
  detail::require(size >= 1, "power_law_spectrum: size", "at least 1", size);
  detail::require(exponent >= 0 && std::isfinite(exponent), "power_law_spectrum: exponent", "at least 0 and finite",
                  exponent);
  std::vector<double> spectrum(size);
  for (std::size_t i = 0; i < size; ++i) {
    spectrum[i] = std::pow(static_cast<double>(i + 1), -exponent);
  }
  return spectrum;
}

}  // namespace regimen::inline v0
