#pragma once

/// Precision, memory format, steps recorded on a GPU.

#include "regimen/execute/capture.hpp"
#include "regimen/execute/execution.hpp"
