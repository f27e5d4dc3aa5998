#pragma once

#include <stop_token>

#include "regimen/observe/event.hpp"

namespace regimen::inline v0 {

/// Where a run begins and how it may be ended from outside.
struct RunOptions {
  State from{};            ///< go on from here, after loading model and optimizers from the same checkpoint
  std::stop_token stop{};  ///< a requested stop ends the run after the step that is being taken
};

}  // namespace regimen::inline v0
