#pragma once
// No LibTorch.

#include <exception>

#include "regimen/experiment/errors.hpp"
#include "regimen/experiment/signals.hpp"
#include "regimen/experiment/task.hpp"

namespace regimen::inline v0::experiment {

/// Statuses that a program ends with, for the shell and for schedulers; 1 is any other error.
struct ExitStatus {
  static constexpr int done = 0;
  static constexpr int usage = 2;          ///< `UsageError`: no second try helps
  static constexpr int busy = 75;          ///< `Busy`: EX_TEMPFAIL of sysexits.h
  static constexpr int interrupted = 130;  ///< a whole run that was stopped: what a shell makes of SIGINT
};

/// The exit status for an exception that ends a program. A stopped unit, which a scheduler is to start again, has
/// `Task::requeue_status`.
inline int exit_status_of(const std::exception& failure, const Task& task) {
  if (dynamic_cast<const Interrupted*>(&failure) != nullptr) {
    return task.unit.empty() || task.worker ? ExitStatus::interrupted : task.requeue_status;
  }
  if (dynamic_cast<const UsageError*>(&failure) != nullptr) {
    return ExitStatus::usage;
  }
  return dynamic_cast<const Busy*>(&failure) != nullptr ? ExitStatus::busy : 1;
}

}  // namespace regimen::inline v0::experiment
