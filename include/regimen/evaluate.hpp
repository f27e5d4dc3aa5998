#pragma once

/// Scores of a network, re-estimated BatchNorm statistics.

#include "regimen/evaluate/batch_norm.hpp"
#include "regimen/evaluate/evaluate.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/evaluate/outputs.hpp"
#include "regimen/evaluate/walk.hpp"
