#pragma once
// No LibTorch.

#include <cmath>
#include <map>
#include <string>

#include "regimen/base/error.hpp"

namespace regimen::inline v0::experiment {

/// Numbers of images: those that a job trains on, summed over the epochs, and those that it scores.
struct Shown {
  double training = 0;
  double scoring = 0;
};

/// The quantities that decide what a training costs.
struct Length {
  double epochs = 1;
  double images = 0;      ///< training images of an epoch
  double each_point = 0;  ///< images scored at each point of the curves, in all sources
  double every = 1;       ///< epochs between two points; the last epoch has one, too
  double fit_every = 0;   ///< epochs between scorings of fit alone; 0: none
  double at_end = 0;      ///< images of the final score
};

/// Images used by a training of this length: for training and for scoring.
inline Shown shown(const Length& length) {
  return {.training = length.epochs * length.images,
          .scoring = std::ceil(length.epochs / length.every) * length.each_point +
                     (length.fit_every > 0 ? length.epochs / length.fit_every * length.images : 0) + length.at_end};
}

/// The speed of a process with one network, in images per second.
struct Pace {
  double training = 0;
  double scoring = 0;
};

using Paces = std::map<std::string, Pace>;  ///< by the network's name

/// Seconds that a job takes besides its images: for a snapshot and checkpoints; on a GPU for a recording.
inline constexpr double seconds_a_job = 0.5;
inline constexpr double seconds_a_job_on_gpu = 2;

/// The expected cost of a job: in seconds, with `besides`, or in images if no pace was measured (`paces` is empty).
/// Three scored images then count as one trained on, since a forward pass takes about a third of a step.
/// Throws Error if `paces` has other networks, but not this one.
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
