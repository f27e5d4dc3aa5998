#pragma once

#include <stop_token>

#include "regimen/observe/event.hpp"
#include "regimen/share/data_parallel.hpp"

namespace regimen::inline v0 {

/// Options of a run: where it begins, how it can be stopped from outside, and which processes share it.
struct RunOptions {
  State from{};            ///< state to resume from, after model and optimizers were loaded from the same checkpoint
  std::stop_token stop{};  ///< token; a requested stop ends the run after the current step
  DataParallel share{};    ///< a group of processes, each with a part of every batch; none by default
};

}  // namespace regimen::inline v0
