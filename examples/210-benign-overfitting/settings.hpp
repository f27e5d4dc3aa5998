#pragma once
// No LibTorch.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <regimen/experiment/plan.hpp>
#include <regimen/statistics/spectra.hpp>

/// The settings of the command line.
struct BenignSettings {
  std::string out = "results-benign-overfitting";
  int workers = 0;
  int threads = 0;

  int seeds = 20;
  std::vector<int> starts = {0, 50, 100, 200, 400};  ///< percent of a standard normal w_0
  std::vector<int> ratios = {20, 50, 80, 125, 150, 200, 300, 500, 1000};  ///< features over samples, in percent
  int draws = 30;                                                         ///< designs a seed and ratio
  std::vector<int> sizes = {50, 100, 200, 400};                           ///< samples n, with n^2 / 5 features
  std::vector<int> tails = {400, 1000, 4000, 10000};                      ///< features, 5 of them the head
  int lazy_seeds = 5;
  std::vector<int> widths = {32, 64, 128, 256, 512, 1024, 2048, 4096};  ///< even numbers of hidden units
};

/// A part of the program, each with a number for its seeds.
enum class Part { starts = 1, ratios, benign, malignant, tails, train, lazy };

inline std::string name_of(Part part) {
  static constexpr const char* names[] = {"", "start", "ratio", "benign", "malignant", "tail", "train", "lazy"};
  return names[static_cast<int>(part)];
}

/// One job: a part's numbers at one setting of what it varies, from one seed.
struct Cell {
  Part part = Part::starts;
  int at = 0;
  int seed = 1;

  [[nodiscard]] bool is_lazy() const { return part >= Part::train; }
  [[nodiscard]] std::string unit() const { return (is_lazy() ? "lazy-seed" : "seed") + std::to_string(seed); }
  [[nodiscard]] std::string job() const { return unit() + "-" + name_of(part) + std::to_string(at); }
  [[nodiscard]] regimen::experiment::Factors factors() const {
    return {{"part", name_of(part)}, {"at", std::to_string(at)}, {"seed", std::to_string(seed)}};
  }

  /// A seed of its own for each draw of each cell.
  [[nodiscard]] std::uint64_t seed_of(int draw = 0) const {
    return ((static_cast<std::uint64_t>(seed) * 16 + static_cast<std::uint64_t>(part)) * 1'000'000 +
            static_cast<std::uint64_t>(at)) * 1000 + static_cast<std::uint64_t>(draw);
  }
};

/// What a part varies.
inline const std::vector<int>& values_of(const BenignSettings& s, Part part) {
  switch (part) {
    case Part::starts:
      return s.starts;
    case Part::ratios:
      return s.ratios;
    case Part::benign:
    case Part::malignant:
      return s.sizes;
    case Part::tails:
      return s.tails;
    default:
      return s.widths;
  }
}

/// The cells of a unit, a seed of all parts but the lazy ones or of these.
inline std::vector<Cell> cells_of(const BenignSettings& s, int seed, bool lazy) {
  std::vector<Cell> cells;
  const std::vector<Part> parts = lazy ? std::vector{Part::train}
                                       : std::vector{Part::starts, Part::ratios, Part::benign, Part::malignant, Part::tails};
  for (const Part part : parts) {
    for (const int at : values_of(s, part)) {
      cells.push_back({part, at, seed});
      if (lazy) {
        cells.push_back({Part::lazy, at, seed});
      }
    }
  }
  return cells;
}

/// The spectrum of a benign or a malignant cell of n samples: 5 ones and a flat tail of sum 2, or i^-2, of n^2 / 5 values.
inline std::vector<double> spectrum_of(const Cell& cell) {
  const auto p = static_cast<std::size_t>(cell.at) * static_cast<std::size_t>(cell.at) / 5;
  return cell.part == Part::benign ? regimen::spiked_spectrum(5, p, 2) : regimen::power_law_spectrum(2, p);
}
