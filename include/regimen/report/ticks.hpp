#pragma once
// No LibTorch.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"

namespace regimen::inline v0::report {

/// A position on an axis, and the text there.
struct Tick {
  double at = 0;
  std::string text{};
};

/// The least step of 1, 2, 5, 10, 20, ... and their tenths, hundredths, ... of which [from, to] holds at most `most`
/// multiples after the first. Throws Error unless from < to, both finite, and most >= 1.
[[nodiscard]] inline double nice_step(double from, double to, int most) {
  detail::require(std::isfinite(from) && std::isfinite(to) && from < to, "nice_step: to",
                  "a finite number above from = " + detail::text(from), to);
  detail::require(most >= 1, "nice_step: most", "at least 1", most);
  const double wanted = (to - from) / most;
  const double decade = std::pow(10, std::floor(std::log10(wanted)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * decade >= wanted * (1 - 1e-9)) {
      return factor * decade;
    }
  }
  return 10 * decade;
}

}  // namespace regimen::inline v0::report

namespace regimen::inline v0::detail::reports {

/// A power of ten as text: 10^-3 is "0.001", 10^5 is "10⁵".
inline std::string power_of_ten(int exponent) {
  if (exponent >= -3 && exponent <= 4) {
    return exponent >= 0 ? "1" + std::string(static_cast<std::size_t>(exponent), '0')
                         : "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + "1";
  }
  constexpr const char* digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string result = exponent < 0 ? "10⁻" : "10";
  for (const char digit : text(std::abs(exponent))) {
    result += digits[digit - '0'];
  }
  return result;
}

/// A multiple of a step with the step's decimals: 0.5 with step 0.25 is "0.50". `largest`: the largest number on the
/// axis. A minus is as wide as a plus.
inline std::string tick_text(double value, double step, double largest) {
  char buffer[64];
  std::to_chars_result end{};
  if (value != 0 && (largest >= 1e7 || step < 1e-5)) {
    const double digits = std::floor(std::log10(std::abs(value)) + 1e-9) - std::floor(std::log10(step) + 1e-9);
    end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific,
                        std::clamp(static_cast<int>(digits), 0, 15));
  } else {
    const bool whole = value == 0 && step < 1e-5;
    const int digits = whole ? 0 : std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9)));
    end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, digits);
  }
  const std::string result(buffer, end.ptr);
  return result.front() == '-' ? "\u2212" + result.substr(1) : result;
}

}  // namespace regimen::inline v0::detail::reports

namespace regimen::inline v0::report {

/// Ticks at the multiples of a nice step in [from, to], at most `most` + 1: (0, 36, 5) gives 0, 10, 20, 30.
[[nodiscard]] inline std::vector<Tick> nice_ticks(double from, double to, int most = 6) {
  const double step = nice_step(from, to, most);
  std::vector<Tick> ticks;
  const double first = std::ceil(from / step - 1e-9);
  const double last = std::floor(to / step + 1e-9);
  for (double k = first; k <= last; ++k) {
    const double value = k == 0 ? 0 : k * step;
    ticks.push_back({value, detail::reports::tick_text(value, step, std::max(std::abs(from), std::abs(to)))});
  }
  return ticks;
}

/// Ticks at the powers of ten in [from, to], only every second, third, ... if there are more than `most` + 1. With only
/// one or none, also at twice and five times the powers. Throws Error unless 0 < from < to.
[[nodiscard]] inline std::vector<Tick> log_ticks(double from, double to, int most = 6) {
  detail::require(from > 0, "log_ticks: from", "above 0 on a logarithmic scale", from);
  detail::require(std::isfinite(to) && to > from, "log_ticks: to", "a finite number above from = " + detail::text(from),
                  to);
  const auto first = static_cast<int>(std::ceil(std::log10(from) - 1e-9));
  const auto last = static_cast<int>(std::floor(std::log10(to) + 1e-9));
  std::vector<Tick> ticks;
  if (last - first >= 1) {
    const int stride = (last - first) / most + 1;
    for (int exponent = first; exponent <= last; ++exponent) {
      if (exponent % stride == 0 || stride == 1) {
        ticks.push_back({std::pow(10, exponent), detail::reports::power_of_ten(exponent)});
      }
    }
    return ticks;
  }
  for (int exponent = first - 1; exponent <= last + 1; ++exponent) {
    for (const int factor : {1, 2, 5}) {
      const double value = factor * std::pow(10, exponent);
      if (value >= from * (1 - 1e-9) && value <= to * (1 + 1e-9)) {
        ticks.push_back({value, detail::reports::tick_text(value, std::pow(10, exponent), to)});
      }
    }
  }
  return ticks.empty() ? nice_ticks(from, to, most) : ticks;
}

}  // namespace regimen::inline v0::report
