#pragma once

/// Any optimizer, a faster step of SGD, half precision's loss scaler.

#include "regimen/optimizer/concept.hpp"
#include "regimen/optimizer/fused.hpp"
#include "regimen/optimizer/loss_scaler.hpp"
#include "regimen/optimizer/scheduled_options.hpp"
