#pragma once
// No LibTorch. What is varied, and the jobs.

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
  std::vector<int> starts = {0, 50, 100, 200, 400};                       ///< norm of w_0, in percent
  std::vector<int> ratios = {20, 50, 80, 125, 150, 200, 300, 500, 1000};  ///< features over samples, in percent
  int draws = 30;                                                         ///< designs for each seed and ratio
  std::vector<int> sizes = {50, 100, 200, 400};                           ///< samples n, of n^2 / 5 features
  std::vector<int> tails = {400, 1000, 4000, 10000};                      ///< features, of which 5 are the head
  int lazy_seeds = 10;
  std::string activation = "relu";                                      ///< of the networks
  std::vector<int> widths = {32, 64, 128, 256, 512, 1024, 2048, 4096};  ///< hidden units, even numbers
};

/// A part of the program: what it varies, and in how many seeds.
struct Part {
  std::string name;
  std::vector<int> varied{};
  int seeds = 1;
};

inline std::vector<Part> parts_of(const BenignSettings& s) {
  return {{"lazy", s.widths, s.lazy_seeds}, {"start", s.starts, s.seeds},    {"ratio", s.ratios, s.seeds},
          {"benign", s.sizes, s.seeds},     {"malignant", s.sizes, s.seeds}, {"tail", s.tails, s.seeds}};
}

/// A part's numbers at one setting, from one seed.
struct Cell {
  std::string part;
  int at = 0;
  int seed = 1;

  [[nodiscard]] std::string unit() const { return (part == "lazy" ? "lazy-seed" : "seed") + std::to_string(seed); }
  [[nodiscard]] std::string job() const { return unit() + "-" + part + std::to_string(at); }
  [[nodiscard]] regimen::experiment::Factors factors() const {
    return {{"part", part}, {"at", std::to_string(at)}, {"seed", std::to_string(seed)}};
  }
  /// A seed of its own for each draw of each setting; parts have data of different sizes, or may share theirs.
  [[nodiscard]] std::uint64_t seed_of(int draw = 0) const {
    const auto setting = static_cast<std::uint64_t>(seed) * 1'000'000 + static_cast<std::uint64_t>(at);
    return setting * 1000 + static_cast<std::uint64_t>(draw);
  }
};

inline std::vector<Cell> cells_of(const BenignSettings& s) {
  std::vector<Cell> cells;
  for (const Part& part : parts_of(s)) {
    for (int seed = 1; seed <= part.seeds; ++seed) {
      for (const int at : part.varied) {
        cells.push_back({part.name, at, seed});
      }
    }
  }
  return cells;
}

/// The spectra of n^2 / 5 features: 5 ones and a flat tail of sum 2, or i^-2.
inline std::vector<double> spectrum_of(const std::string& part, int n) {
  const auto p = static_cast<std::size_t>(n) * static_cast<std::size_t>(n) / 5;
  return part == "benign" ? regimen::spiked_spectrum(5, p, 2) : regimen::power_law_spectrum(2, p);
}
