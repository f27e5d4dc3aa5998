#pragma once
// Draws that are equal on all platforms, and how often an interval holds what is true. REGIMEN_COVERAGE=2000 in the
// environment takes more cases, and then 95 % means 93 to 97 %.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <numbers>
#include <random>
#include <vector>

#include "support/numbers.hpp"

namespace coverage {

/// Draws that are equal on all platforms: the distributions of <random> are not.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : words_(seed) {}

  double uniform() { return (static_cast<double>(words_() >> 11) + 0.5) / 9007199254740992.0; }
  double exponential() { return -std::log(uniform()); }
  double normal() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

  template <class Draw>
  std::vector<double> of(std::size_t n, Draw&& draw) {
    std::vector<double> values(n);
    std::generate(values.begin(), values.end(), draw);
    return values;
  }

 private:
  std::mt19937_64 words_;
};

/// holds(case) in so many cases as `expected` of them come out: within 4 standard deviations or 2 %, whichever is more.
/// As many cases as given, or as the environment asks for; then the number that held is told, too.
template <class Holds>
void check_share(Holds&& holds, int cases = 30, double expected = 0.95) {
  const char* const wanted = std::getenv("REGIMEN_COVERAGE");
  cases = wanted == nullptr ? cases : std::atoi(wanted);
  REQUIRE(cases >= 10);
  int held = 0;
  for (int i = 0; i < cases; ++i) {
    held += holds(static_cast<std::uint64_t>(i)) ? 1 : 0;
  }
  const double share = static_cast<double>(held) / cases;
  CAPTURE(cases, share);
  if (wanted != nullptr) {
    WARN("held in " << held << " of " << cases);
  }
  CHECK(std::abs(share - expected) <= std::max(0.02, 4 * std::sqrt(expected * (1 - expected) / cases)));
}

/// holds(draws, case) as above, with draws that are equal on all platforms.
template <class Holds>
void check_coverage(Holds&& holds, double expected = 0.95) {
  Draws draws(11);
  check_share([&](std::uint64_t i) { return holds(draws, i); }, 150, expected);
}

}  // namespace coverage
