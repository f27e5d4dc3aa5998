#pragma once
// No LibTorch.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "regimen/report/pixels.hpp"

/// How well colours stand out from their ground, by the Web Content Accessibility Guidelines 2.2.
namespace regimen::inline v0::detail::reports {

/// The relative luminance of a colour, in [0, 1].
inline double luminance(const report::Rgb& colour) {
  constexpr std::array<double, 3> weights{0.2126, 0.7152, 0.0722};
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double value = colour[i] / 255.0;
    sum += weights[i] * (value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4));
  }
  return sum;
}

/// The contrast of two colours, in [1, 21].
inline double contrast(const report::Rgb& a, const report::Rgb& b) {
  const auto [low, high] = std::minmax({luminance(a), luminance(b)});
  return (high + 0.05) / (low + 0.05);
}

/// A colour between two others: `parts` of 64 of `b`.
inline report::Rgb mixed(const report::Rgb& a, const report::Rgb& b, int parts) {
  report::Rgb result{};
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = static_cast<std::uint8_t>((a[i] * (64 - parts) + b[i] * parts + 32) / 64);
  }
  return result;
}

/// The colour, as much lighter on a dark ground, or darker on a light one, as the contrast needs. The contrast must be
/// one that black or white has.
inline report::Rgb with_contrast(const report::Rgb& colour, const report::Rgb& ground, double least) {
  const report::Rgb end = luminance(ground) < 0.18 ? report::Rgb{255, 255, 255} : report::Rgb{0, 0, 0};
  int parts = 0;
  while (parts < 64 && contrast(mixed(colour, end, parts), ground) < least) {
    ++parts;
  }
  return mixed(colour, end, parts);
}

}  // namespace regimen::inline v0::detail::reports
