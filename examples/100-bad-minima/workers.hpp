#pragma once

#include <regimen/experiment/workers.hpp>

using regimen::experiment::Command;
using regimen::experiment::run_side_by_side;
