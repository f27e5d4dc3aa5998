#pragma once

#include <stop_token>

#include "regimen/observe/event.hpp"

namespace regimen::inline v0 {

/// Options of a run: where it begins, and how it can be stopped from outside.
struct RunOptions {
  State from{};            ///< state to resume from, after model and optimizers were loaded from the same checkpoint
  std::stop_token stop{};  ///< token; a requested stop ends the run after the current step
};

}  // namespace regimen::inline v0
