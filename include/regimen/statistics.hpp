#pragma once
// No LibTorch.

/// Intervals of means, of paired differences, by bootstrap, of shares; agreement in order.

#include "regimen/statistics/advantage_between.hpp"
#include "regimen/statistics/bootstrap.hpp"
#include "regimen/statistics/effective_rank.hpp"
#include "regimen/statistics/interval.hpp"
#include "regimen/statistics/jackknife.hpp"
#include "regimen/statistics/kendall.hpp"
#include "regimen/statistics/log_log_slope.hpp"
#include "regimen/statistics/mean.hpp"
#include "regimen/statistics/median.hpp"
#include "regimen/statistics/membership_law.hpp"
#include "regimen/statistics/monte_carlo.hpp"
#include "regimen/statistics/pairs.hpp"
#include "regimen/statistics/proportion.hpp"
#include "regimen/statistics/ridgeless.hpp"
#include "regimen/statistics/roc.hpp"
#include "regimen/statistics/roc_intervals.hpp"
#include "regimen/statistics/spectra.hpp"
#include "regimen/statistics/student_t.hpp"
