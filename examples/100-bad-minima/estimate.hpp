#pragma once
// No LibTorch.

#include <regimen/experiment/cost.hpp>
#include <regimen/experiment/plan.hpp>

#include "plan.hpp"
#include "settings.hpp"

using regimen::experiment::Chain;
using regimen::experiment::Pace;
using regimen::experiment::Paces;
using regimen::experiment::seconds_of;

/// A unit's trainings with what each is expected to cost, its scorings included: in seconds, or where no pace was
/// measured (`paces` is empty) in images. Phases that end by a criterion are expected to end where they were seen to.
Chain expected_jobs(const Unit& unit, const Settings& settings, const ImageCounts& counts, const Paces& paces);

/// All units with their jobs.
regimen::experiment::Plan expected_units(const Settings& settings, const ImageCounts& counts, const Paces& paces);

/// Seconds that the whole experiment is expected to take, by as many workers as the settings say.
double seconds_of(const Settings& settings, const ImageCounts& counts, const Paces& paces);
