#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <regimen/experiment/job.hpp>
#include <regimen/networks/network.hpp>
#include <regimen/regimen.hpp>

#include "kit/data.hpp"
#include "kit/machine.hpp"
#include "plan.hpp"
#include "settings.hpp"

using kit::Images;

/// R copies of the training images with some pixels zeroed, under random labels.
regimen::Source confusion_set(const regimen::Source& train, const Images& images, const Settings& settings, int copies,
                              std::uint64_t seed);

/// The history of a training that has come to its end, whoever trained it; none while it has not. On true labels the
/// end includes the score on the whole test set.
std::optional<regimen::History> finished_history(const std::string& job, const Settings& settings);

/// Trains units, each a network from one start, with each set of regularizers.
class Trainings {
 public:
  Trainings(const Settings& settings, const Images& images, regimen::experiment::Jobs& jobs)
      : settings_(settings),
        images_(images),
        execute_(kit::execution_of(settings.device, settings.precision)),
        jobs_(jobs) {}

  void train(const Unit& unit);

 private:
  using Net = std::shared_ptr<regimen::networks::Network>;

  [[nodiscard]] regimen::Phase phase(const std::string& name, const regimen::Source& data, torch::optim::SGD& optimizer,
                                     int epochs, std::uint64_t seed) const;
  [[nodiscard]] regimen::Evaluation evaluation() const;
  [[nodiscard]] regimen::Scoring scoring(const regimen::Source& train, std::uint64_t seed, int epochs) const;
  void memorize(const Unit& unit, const regimen::Source& train, Net& net);
  void run_arm(const Unit& unit, int place, const Regularizers& set, const regimen::Source& train, Net& net);

  const Settings& settings_;
  const Images& images_;
  regimen::Execution execute_;
  regimen::experiment::Jobs& jobs_;
};
