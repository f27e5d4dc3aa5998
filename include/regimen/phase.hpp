#pragma once
// Moved: this path stays for who includes it.

#include "regimen/run/as_in_phase.hpp"
#include "regimen/run/options.hpp"
#include "regimen/run/phase.hpp"
#include "regimen/run/scoring.hpp"
