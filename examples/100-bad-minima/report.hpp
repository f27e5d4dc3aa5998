#pragma once

#include <string>
#include <vector>

#include <regimen/compare.hpp>
#include <regimen/record.hpp>

#include "settings.hpp"

/// One arm of the experiment with one seed: a starting point and a set of regularizers.
struct Arm {
  std::uint64_t seed = 0;
  std::string start;         ///< "random" or "adversarial"
  std::string regularizers;  ///< "vanilla", "all three", "augmentation + l2", ...
  regimen::History history{};
};

/// All arms with one set of regularizers, and what came of them.
struct Comparison {
  std::string regularizers;
  regimen::Interval random{};       ///< test accuracy in percent
  regimen::Interval adversarial{};  ///< the same
  regimen::Interval hole{};         ///< random minus adversarial, paired by seed, in points
  double random_fit = 1;            ///< the least of the seeds, in [0, 1]
  double adversarial_fit = 1;
  double random_epochs = 0;  ///< mean of the seeds
  double adversarial_epochs = 0;
};

/// What the confusion sets came to.
struct Memorized {
  bool all_fitted = true;
  double least_fit = 1;  ///< in [0, 1]
  std::vector<regimen::History> histories{};
};

/// One comparison for each set of regularizers, in the order in which the arms name them.
std::vector<Comparison> compare(const std::vector<Arm>& arms);

/// The table that ends the program, for a terminal.
std::string table(const std::vector<Comparison>& comparisons, const Memorized& memorized, const Settings& settings);

/// The answer in one sentence.
std::string answer(const std::vector<Comparison>& comparisons, const Memorized& memorized);

/// results.csv (every arm and seed), summary.csv (the table) and epochs.csv (every epoch of every arm).
void write_tables(const std::vector<Arm>& arms, const std::vector<Comparison>& comparisons, const Memorized& memorized,
                  const Settings& settings);
