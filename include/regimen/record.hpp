#pragma once
// No LibTorch.

/// The clock, scores, epochs, histories; what a part of a regime reads of them.

#include "regimen/record/clock.hpp"
#include "regimen/record/erased.hpp"
#include "regimen/record/history.hpp"
#include "regimen/record/history_view.hpp"
#include "regimen/record/hooks.hpp"
#include "regimen/record/improvement.hpp"
#include "regimen/record/reads.hpp"
