#pragma once

/// Samples with targets and ids.

#include "regimen/batch/batch.hpp"
#include "regimen/batch/combined.hpp"
#include "regimen/batch/require_rows.hpp"
#include "regimen/batch/tensors.hpp"
