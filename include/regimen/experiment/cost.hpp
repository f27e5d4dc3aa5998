#pragma once
// No LibTorch.

#include <map>
#include <string>

#include "regimen/base/error.hpp"

namespace regimen::inline v0::experiment {

/// Images that a job's network is trained on, those of every epoch counted, and images that it is scored on.
struct Shown {
  double training = 0;
  double scoring = 0;
};

/// How fast a process goes with a network, in images a second.
struct Pace {
  double training = 0;
  double scoring = 0;
};

using Paces = std::map<std::string, Pace>;  ///< by network

/// What a job takes besides its images, in seconds: a snapshot, checkpoints; on a GPU a recording.
inline constexpr double seconds_a_job = 0.5;
inline constexpr double seconds_a_job_on_gpu = 2;

/// What a job is expected to cost: seconds, `besides` among them; or where no pace was measured (`paces` is empty)
/// images, of which three that are scored are worth one that is trained on: a forward pass is about a third of a step.
/// Throws Error for a network whose pace was not measured while others' were.
inline double cost(const Shown& shown, const std::string& network, const Paces& paces, double besides = seconds_a_job) {
  if (paces.empty()) {
    return shown.training + shown.scoring / 3;
  }
  const auto pace = paces.find(network);
  if (pace == paces.end()) {
    throw Error("no pace was measured for the network " + network);
  }
  return shown.training / pace->second.training + shown.scoring / pace->second.scoring + besides;
}

}  // namespace regimen::inline v0::experiment
