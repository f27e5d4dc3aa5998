#pragma once
// No LibTorch.

/// Numbers that change over time: decay, warm-up, cosine, plateaus; a `Knob` is a number or a schedule.

#include "regimen/schedule/bounds.hpp"
#include "regimen/schedule/clocks.hpp"
#include "regimen/schedule/concept.hpp"
#include "regimen/schedule/cosine.hpp"
#include "regimen/schedule/decay.hpp"
#include "regimen/schedule/piecewise.hpp"
#include "regimen/schedule/plateau.hpp"
#include "regimen/schedule/product.hpp"
#include "regimen/schedule/steps.hpp"
#include "regimen/schedule/warmup.hpp"
