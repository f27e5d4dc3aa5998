#pragma once

/// All of regimen but what costs further compile time (models/, adapt/). It costs little more than LibTorch's own
/// module.h, so there is no need to choose among the headers.

// No LibTorch
#include "regimen/clock.hpp"
#include "regimen/compare.hpp"
#include "regimen/error.hpp"
#include "regimen/event.hpp"
#include "regimen/log.hpp"
#include "regimen/manifest.hpp"
#include "regimen/observe.hpp"
#include "regimen/record.hpp"
#include "regimen/schedule.hpp"
#include "regimen/stop.hpp"
#include "regimen/track.hpp"
#include "regimen/version.hpp"

// Tensors
#include "regimen/batch.hpp"
#include "regimen/checkpoint.hpp"
#include "regimen/datasets.hpp"
#include "regimen/evaluate.hpp"
#include "regimen/execute.hpp"
#include "regimen/fused.hpp"
#include "regimen/key.hpp"
#include "regimen/loss.hpp"
#include "regimen/loss_scaler.hpp"
#include "regimen/measure.hpp"
#include "regimen/model.hpp"
#include "regimen/optimizer.hpp"
#include "regimen/phase.hpp"
#include "regimen/regularize.hpp"
#include "regimen/run.hpp"
#include "regimen/snapshot.hpp"
#include "regimen/source.hpp"
#include "regimen/tap.hpp"
#include "regimen/track/area_under_margin.hpp"
#include "regimen/track/best.hpp"
#include "regimen/track/detection.hpp"
#include "regimen/track/forgetting.hpp"
#include "regimen/track/parts.hpp"
#include "regimen/transform.hpp"
