#pragma once

/// Programs of many runs: plan, budget, results folder, jobs, processes, signals; not in regimen.hpp.

#include "regimen/experiment/files.hpp"
#include "regimen/experiment/folder.hpp"
#include "regimen/experiment/settings_file.hpp"
#include "regimen/experiment/signals.hpp"
#include "regimen/experiment/task.hpp"
