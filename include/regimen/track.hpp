#pragma once

/// The gap, forgetting, margins, predictions by sample, averaged and best weights.

#include "regimen/track/area_under_margin.hpp"
#include "regimen/track/average.hpp"
#include "regimen/track/best.hpp"
#include "regimen/track/forgetting.hpp"
#include "regimen/track/gap_tracker.hpp"
#include "regimen/track/part_gaps.hpp"
#include "regimen/track/sample_predictions.hpp"
#include "regimen/track/samples.hpp"
