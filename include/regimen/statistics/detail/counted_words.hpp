#pragma once
// No LibTorch.

#include <cstdint>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// Random 64-bit words by index: word i is a function of (seed, i), equal on all platforms, whatever was drawn before.
/// SplitMix64 (Steele, Lea and Flood 2014) with the seed mixed first, so that consecutive seeds do not share words.
/// `Key` has another generator, which lies in a room above and needs LibTorch.
class CountedWords {
 public:
  explicit CountedWords(std::uint64_t seed) : start_(mixed(seed + step)) {}

  [[nodiscard]] std::uint64_t operator()(std::uint64_t i) const { return mixed(start_ + (i + 1) * step); }

  /// Word i as a number in [0, n), for n in [1, 2^31]. Probabilities differ by a relative n / 2^32 at most.
  [[nodiscard]] std::uint64_t below(std::uint64_t n, std::uint64_t i) const { return ((*this)(i) >> 32) * n >> 32; }

 private:
  static constexpr std::uint64_t step = 0x9E3779B97F4A7C15;

  static std::uint64_t mixed(std::uint64_t word) {
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9;
    word = (word ^ word >> 27) * 0x94D049BB133111EB;
    return word ^ word >> 31;
  }

  std::uint64_t start_;
};

}  // namespace regimen::inline v0::detail
