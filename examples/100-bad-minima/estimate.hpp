#pragma once
// No LibTorch.

#include <map>
#include <string>
#include <vector>

#include "plan.hpp"
#include "settings.hpp"
#include "time_left.hpp"

/// How fast a process goes with a network, in images a second.
struct Pace {
  double training = 0;
  double scoring = 0;
};

using Paces = std::map<std::string, Pace>;  ///< by model

/// A unit's trainings with what each is expected to cost, its scorings included: in seconds, or where no pace was
/// measured (`paces` is empty) in images. Phases that end by a criterion are expected to end where they were seen to.
Chain expected_jobs(const Unit& unit, const Settings& settings, const ImageCounts& counts, const Paces& paces);

/// Seconds that a process is expected to take for these jobs, its start included; 0 for none.
double seconds_of(const Chain& jobs);

/// Seconds that so many workers are expected to take for these units' jobs, the longest first.
double seconds_of(const std::vector<Chain>& units, int workers);

/// Seconds that the whole experiment is expected to take, by as many workers as the settings say.
double seconds_of(const Settings& settings, const ImageCounts& counts, const Paces& paces);
