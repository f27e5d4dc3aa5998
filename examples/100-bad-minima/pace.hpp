#pragma once

#include <map>
#include <string>
#include <vector>

#include "data.hpp"
#include "plan.hpp"
#include "settings.hpp"
#include "time_left.hpp"

/// How fast a process goes with a network, in images a second.
struct Pace {
  double training = 0;
  double scoring = 0;
};

using Paces = std::map<std::string, Pace>;  ///< by model

/// Trains each model for some seconds, without a trace.
Paces measure_paces(const Settings& settings, const Images& images);

/// A unit's trainings with what each is expected to cost, its scorings included: in seconds, or where no pace was
/// measured (`paces` is empty) in images. Phases that end by a criterion are expected to end where they were seen to.
Chain expected_jobs(const Unit& unit, const Settings& settings, const Images& images, const Paces& paces);

/// Seconds that a unit is expected to take.
double seconds_of(const Unit& unit, const Settings& settings, const Images& images, const Paces& paces);

/// Seconds that all units are expected to take, by as many workers as the settings say.
double seconds_of(const std::vector<Unit>& units, const Settings& settings, const Images& images, const Paces& paces);

/// The largest experiment that fits the time: with fewer images, down to half, then fewer seeds, down to three; where
/// phases have fixed numbers of epochs, all are shortened by one factor instead. `fits`: whether the smallest of these
/// does.
struct Fitted {
  Cut cut{};
  bool fits = true;
};
Fitted fit_to(double seconds, const Settings& settings, const Images& images, const Paces& paces);
