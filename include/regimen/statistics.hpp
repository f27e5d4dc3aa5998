#pragma once
// No LibTorch.

/// Intervals of means, paired differences and shares.

#include "regimen/statistics/interval.hpp"
#include "regimen/statistics/proportion.hpp"
