#pragma once
// No LibTorch.

#include <cstdint>
#include <string>
#include <vector>

#include <regimen/record.hpp>
#include <regimen/statistics/interval.hpp>

#include "settings.hpp"

/// One arm of the experiment: a network, a starting point and a set of regularizers, with one seed.
struct Arm {
  std::string model;
  std::uint64_t seed = 0;
  int copies = 0;            ///< R of the confusion set that it starts from; 0: from random weights
  std::string regularizers;  ///< "vanilla", "all three", "augmentation + l2", ...
  regimen::History history{};
  regimen::Score test{};  ///< on the whole test set, at its end

  [[nodiscard]] bool from_random() const { return copies == 0; }
};

/// One training on random labels.
struct Memorized {
  std::string model;
  std::uint64_t seed = 0;
  int copies = 0;
  regimen::History history{};
};

/// All arms with one set of regularizers, over the seeds of their group.
struct Comparison {
  std::string regularizers;
  regimen::Interval random{};       ///< test accuracy in percent
  regimen::Interval adversarial{};  ///< the same
  regimen::Interval hole{};         ///< random minus adversarial, paired by seed, in points
  double random_fit = 1;            ///< the least of the seeds, in [0, 1]
  double adversarial_fit = 1;
  double random_epochs = 0;  ///< mean of the seeds
  double adversarial_epochs = 0;
  double random_cosine = 0;  ///< of the weights at the end and at the start, mean of the seeds: 1 where they stayed
  double adversarial_cosine = 0;
  std::vector<std::uint64_t> random_diverged{};       ///< seeds: without them the means would be of the lucky ones
  std::vector<std::uint64_t> adversarial_diverged{};  ///< the same

  [[nodiscard]] bool diverged() const { return !random_diverged.empty() || !adversarial_diverged.empty(); }
};

/// Everything that one network and one R came to.
struct Group {
  std::string model;
  int copies = 0;
  std::vector<std::uint64_t> seeds{};     ///< whose two starts are both complete: all numbers are of these
  std::vector<Comparison> comparisons{};  ///< one for each set of regularizers
  std::int64_t images = 0;                ///< that each seed trained on; 0: unknown
  double enough_fit = 0;                  ///< the share of the random labels that makes a start adversarial, in [0, 1]
  double memorized_fit = 1;               ///< the least that any seed fits

  [[nodiscard]] bool all_fitted() const { return memorized_fit >= enough_fit; }
};

/// What was trained, as far as it is at its end.
struct Results {
  std::vector<Arm> arms{};
  std::vector<Memorized> memorized{};
  std::vector<std::string> jobs{};  ///< their names
  int units = 0;                    ///< that are complete
  int units_planned = 0;
};

/// One group for each network and R that has a complete seed, in the order of the settings.
std::vector<Group> groups_of(const Results& results, const Settings& settings);

/// Cosine of the weights at this epoch and at the arm's start; NaN where it was not measured.
double start_cosine(const regimen::Epoch& epoch);
