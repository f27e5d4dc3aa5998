#pragma once

/// Data that are frozen as a transform left them, labels dealt anew, and what noise did.

#include "regimen/damage/by_class.hpp"
#include "regimen/damage/dealt_labels.hpp"
#include "regimen/damage/detection.hpp"
#include "regimen/damage/frozen.hpp"
#include "regimen/damage/label_noise.hpp"
#include "regimen/damage/labelled_ids.hpp"
#include "regimen/damage/split_by_noise.hpp"
