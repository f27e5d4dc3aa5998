#pragma once

/// Phases, how they are scored, and the loop that trains them.

#include "regimen/run/as_in_phase.hpp"
#include "regimen/run/options.hpp"
#include "regimen/run/phase.hpp"
#include "regimen/run/run.hpp"
#include "regimen/run/run_manifest.hpp"
#include "regimen/run/scoring.hpp"
