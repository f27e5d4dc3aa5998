#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kit/counts.hpp"
#include "settings.hpp"

/// A set of the paper's three regularizers.
struct Regularizers {
  bool augmentation = false;
  bool l2 = false;
  bool momentum = false;

  [[nodiscard]] bool none() const { return !augmentation && !l2 && !momentum; }

  /// "vanilla", "all three", "augmentation + l2", ...
  [[nodiscard]] std::string name() const;
};

/// The sets that are compared: none and all three, or all eight.
std::vector<Regularizers> sets_of(const Settings& settings);

/// The training on random labels.
inline const char* const memorizing = "memorize";

/// What one process can train by itself: a network from one start, with each set of regularizers. An adversarial start
/// comes with the training on random labels that leads to it.
struct Unit {
  std::string model;
  int copies = 0;  ///< R of the confusion set that it starts from; 0: from random weights
  std::uint64_t seed = 1;

  /// "resnet18-seed1-R5", "resnet18-seed1-random"
  [[nodiscard]] std::string name() const;

  /// The name of one of its trainings, which bears its files: "resnet18-seed1-R5-all_three".
  [[nodiscard]] std::string job(const std::string& what) const;
};

/// All units, in the order of their seeds. They need nothing of each other.
std::vector<Unit> units_of(const Settings& settings);

/// A unit's trainings in their order: first `memorizing` if it starts from random labels, then the names of the sets.
std::vector<std::string> trainings_of(const Unit& unit, const Settings& settings);

using kit::ImageCounts;

/// Training images of a seed: as many as the recipe says, but no more than there are.
std::int64_t images_used(const Settings& settings, const ImageCounts& counts);

/// Whether a seed's trainings are scored along the way, or only at their ends.
bool has_curves(const Settings& settings, std::uint64_t seed);

/// Test images that a scoring along the way takes.
std::int64_t test_along(const Settings& settings, const ImageCounts& counts);

/// The experiment made smaller, to fit a time.
struct Cut {
  int seeds = 0;
  std::int64_t images = 0;
  double epochs = 1;  ///< the share of its epochs that each phase keeps, in (0, 1]
};

/// The settings with a cut applied. Epochs are rounded to whole ones, at least one.
Settings applied(const Cut& cut, Settings settings);

/// The numbers that a cut changes: "3 seeds instead of 5"; empty if it changes none.
std::string in_words(const Cut& cut, const Settings& settings);

/// The cut as the results folder's file "plan" holds it, so that a resumed run keeps to it.
std::string text_of(const Cut& cut);

/// Reads such a file. Throws regimen::Error for any other text.
Cut cut_from(const std::string& text);
