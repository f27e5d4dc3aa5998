#pragma once

#include "data.hpp"
#include "estimate.hpp"
#include "settings.hpp"

/// Trains each model for some seconds, without a trace. Throws Interrupted when the task says so.
Paces measure_paces(const Settings& settings, const Task& task, const Images& images);
