#pragma once
// No LibTorch.

/// When a phase is over: fit, patience, gap, limits.

#include "regimen/stop/combine.hpp"
#include "regimen/stop/concept.hpp"
#include "regimen/stop/divergence.hpp"
#include "regimen/stop/fit.hpp"
#include "regimen/stop/gap.hpp"
#include "regimen/stop/limits.hpp"
#include "regimen/stop/measured.hpp"
#include "regimen/stop/met.hpp"
#include "regimen/stop/patience.hpp"
