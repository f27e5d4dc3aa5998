#pragma once
// No LibTorch.

#include <cstdint>
#include <string_view>

#include "regimen/base/config.hpp"

/// Salts that separate the library's uses of one seed: users often give one seed to all of them, and a label drawn from
/// the words that ordered the data would be a function of the order.
namespace regimen::inline v0::detail::salt {

/// A salt: the first eight letters of a word as a number.
consteval std::uint64_t of(std::string_view word) {
  std::uint64_t number = 0;
  for (const char letter : word.substr(0, 8)) {
    number = number << 8 | static_cast<unsigned char>(letter);
  }
  return number;
}

inline constexpr std::uint64_t augment = of("augment");        // transforms of a phase
inline constexpr std::uint64_t balance = of("balance");        // balanced_labels
inline constexpr std::uint64_t centres = of("centres");        // of clusterable data
inline constexpr std::uint64_t choice = of("choice");          // exact shares of `frozen`
inline constexpr std::uint64_t clusters = of("clusters");      // toy data
inline constexpr std::uint64_t directions = of("directions");  // InstanceLabels
inline constexpr std::uint64_t drawn = of("drawn");            // labels that FisherTrace draws
inline constexpr std::uint64_t exact = of("exact");            // exact_labels
inline constexpr std::uint64_t features = of("features");      // of Gaussian data
inline constexpr std::uint64_t folds = of("folds");            // held_out_predictions
inline constexpr std::uint64_t gradient = of("gradient");      // GradientNoise
inline constexpr std::uint64_t halves = of("halves");          // reference_halves
inline constexpr std::uint64_t layer = of("layer");            // frozen layers on one another
inline constexpr std::uint64_t matrix = of("matrix");          // random noise matrices
inline constexpr std::uint64_t noise = of("noise");            // of the labels of Gaussian data
inline constexpr std::uint64_t order = of("order");            // the order of an epoch
inline constexpr std::uint64_t permutation = of("permute");    // permuted_labels
inline constexpr std::uint64_t pixels = of("pixels");          // PermutePixels
inline constexpr std::uint64_t probe = of("probe");            // random vectors of curvature/
inline constexpr std::uint64_t radius = of("radius");          // first vectors of spectral_radius()
inline constexpr std::uint64_t sample = of("sample");          // sample()
inline constexpr std::uint64_t signs = of("signs");            // signs of samples' gradients in measure/
inline constexpr std::uint64_t split = of("split");            // split()
inline constexpr std::uint64_t start = of("start");            // first vectors of top()
inline constexpr std::uint64_t weights = of("weights");        // noise on weights, of measures of sharpness

}  // namespace regimen::inline v0::detail::salt
