#pragma once

/// Programs of many runs: plan, budget, results folder, jobs, processes, signals; not in regimen.hpp.

#include "regimen/experiment/budget.hpp"
#include "regimen/experiment/command.hpp"
#include "regimen/experiment/conduct.hpp"
#include "regimen/experiment/cost.hpp"
#include "regimen/experiment/files.hpp"
#include "regimen/experiment/folder.hpp"
#include "regimen/experiment/job.hpp"
#include "regimen/experiment/job_files.hpp"
#include "regimen/experiment/job_line.hpp"
#include "regimen/experiment/plan.hpp"
#include "regimen/experiment/processors.hpp"
#include "regimen/experiment/settings_file.hpp"
#include "regimen/experiment/side_by_side.hpp"
#include "regimen/experiment/signals.hpp"
#include "regimen/experiment/status_line.hpp"
#include "regimen/experiment/task.hpp"
#include "regimen/experiment/time_left.hpp"
#include "regimen/experiment/workers.hpp"
