#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <regimen/models/network.hpp>
#include <regimen/regimen.hpp>

#include "data.hpp"
#include "jobs.hpp"
#include "plan.hpp"
#include "settings.hpp"

/// How every phase is computed on this device: on a GPU with all that makes it fast.
regimen::Execution execution_of(const Settings& settings);

/// The training images of a seed: all of them, or as many as the recipe says, drawn by the seed.
regimen::Source training_images(const Images& images, const Settings& settings, std::uint64_t seed);

/// Copies of the images with some pixels zeroed, under random labels.
regimen::Source confusion_set(const regimen::Source& train, const Images& images, const Settings& settings, int copies,
                              std::uint64_t seed);

/// The names of a unit's trainings, in order.
std::vector<std::string> jobs_of(const Unit& unit, const Settings& settings);

/// Trains units.
class Trainings {
 public:
  /// `images_of_work`: the cost of an image in training, by model, for the time left; 1 for all if it is empty.
  Trainings(const Settings& settings, const Task& task, const Images& images, const std::vector<Unit>& units);

  /// All trainings of a unit that are not at their end yet. False if another process works on it.
  bool train(const Unit& unit);

 private:
  using Net = std::shared_ptr<regimen::models::Network>;

  [[nodiscard]] regimen::Phase phase(const std::string& name, const regimen::Source& data, torch::optim::SGD& optimizer,
                                     int epochs, std::uint64_t seed) const;
  [[nodiscard]] regimen::Splits splits(const regimen::Source& train, std::uint64_t seed, int epochs) const;
  void memorize(const Unit& unit, const regimen::Source& train, Net& net);
  void run_arm(const Unit& unit, int place, const Regularizers& set, const regimen::Source& train, Net& net);

  const Settings& settings_;
  const Task& task_;
  const Images& images_;
  regimen::Execution execute_;
  Jobs jobs_;
};
