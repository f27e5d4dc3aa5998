#pragma once

/// All of regimen but networks/ and adapt/, which cost further
/// time to compile. The rest costs little more than LibTorch's own module.h.

#include "regimen/base.hpp"
#include "regimen/batch.hpp"
#include "regimen/checkpoint.hpp"
#include "regimen/damage.hpp"
#include "regimen/datasets.hpp"
#include "regimen/evaluate.hpp"
#include "regimen/execute.hpp"
#include "regimen/key.hpp"
#include "regimen/loss.hpp"
#include "regimen/measure.hpp"
#include "regimen/model.hpp"
#include "regimen/observe.hpp"
#include "regimen/optimizer.hpp"
#include "regimen/record.hpp"
#include "regimen/regularize.hpp"
#include "regimen/run.hpp"
#include "regimen/schedule.hpp"
#include "regimen/source.hpp"
#include "regimen/statistics.hpp"
#include "regimen/stop.hpp"
#include "regimen/tensor.hpp"
#include "regimen/track.hpp"
#include "regimen/transform.hpp"
