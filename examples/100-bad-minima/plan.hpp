#pragma once

#include <cstdint>
#include <string>
#include <vector>

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

/// All units, in the order in which they are trained. They need nothing of each other.
std::vector<Unit> units_of(const Settings& settings);

/// Images that a unit is shown in training if it needs all its epochs; `images`: those of the training set.
double most_images(const Unit& unit, const Settings& settings, double images);

/// The recipe with all its phases shortened by one factor, in (0, 1], rounded to whole epochs, at least one.
Recipe shortened(const Recipe& recipe, double factor);
