#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <regimen/networks/network.hpp>
#include <regimen/regimen.hpp>

#include "data.hpp"
#include "jobs.hpp"
#include "plan.hpp"
#include "settings.hpp"

/// How every phase is computed on this device: on a GPU with all that makes it fast.
regimen::Execution execution_of(const Settings& settings);

/// The training images of a seed: all of them, or as many as the recipe says, drawn by the seed.
regimen::Source training_images(const Images& images, const Settings& settings, std::uint64_t seed);

/// R copies of the training images with some pixels zeroed, under random labels.
regimen::Source confusion_set(const regimen::Source& train, const Images& images, const Settings& settings, int copies,
                              std::uint64_t seed);

/// How networks are scored after training.
regimen::Evaluation scoring_of(const Settings& settings, const Images& images);

/// The history of a unit's training that has come to its end, whoever trained it; none while it has not. On true labels
/// the end includes the score on the whole test set.
std::optional<regimen::History> finished_history(const Unit& unit, const std::string& what, const Settings& settings);

/// Whether a job of this name is at its end, with the score that belongs to it.
bool job_is_finished(const std::string& job, const Settings& settings);

/// Whether a unit's trainings are all at their end.
bool is_complete(const Unit& unit, const Settings& settings);

/// A unit's jobs that are not at their end yet.
Chain unfinished(const Chain& jobs, const Unit& unit, const Settings& settings);

/// Trains units.
class Trainings {
 public:
  Trainings(const Settings& settings, const Task& task, const Images& images, TimeLeft time_left)
      : settings_(settings),
        task_(task),
        images_(images),
        execute_(execution_of(settings)),
        jobs_(settings, task, std::move(time_left)) {}

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
