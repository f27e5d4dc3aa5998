#pragma once

#include <vector>

#include "pace.hpp"
#include "plan.hpp"
#include "settings.hpp"
#include "time_left.hpp"

/// Trains the units in processes of this program, as many at a time as the settings have workers, the first first, and
/// says on stderr how far they are. `chains`: what each unit is expected to cost; in seconds, if a pace was measured.
/// Throws Interrupted when the user stopped it, and regimen::Error for a worker that failed.
void train_side_by_side(const std::vector<Unit>& units, const std::vector<Chain>& chains, bool in_seconds,
                        const Settings& settings, const Task& task);

/// The paces of a worker while all of them are at work: processors that share a core, or a host, share their speed.
Paces measure_side_by_side(const Settings& settings, const Task& task);

/// What a worker tells of its own paces.
void tell_paces(const Paces& paces);
