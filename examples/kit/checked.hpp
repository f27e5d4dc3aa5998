#pragma once

#include <regimen/base/error.hpp>
#include <regimen/experiment/conduct.hpp>
#include <regimen/experiment/task.hpp>

namespace kit {

/// Conducts an experiment that has `claims()`, made by its `show`. With `check`, the program's --check, it throws
/// regimen::Error afterwards unless all units are complete and all statements hold; the results folder is complete
/// then, whatever they say.
template <class Claiming>
void conduct_checked(Claiming& experiment, const regimen::experiment::Task& task,
                     const regimen::experiment::Conduct& how, bool check) {
  if (check && !task.unit.empty() && !task.worker) {
    throw regimen::Error("--check looks at all units, and --unit trains one: leave out one of them");
  }
  regimen::experiment::conduct(experiment, task, how);
  if (check && !task.worker && !task.list && !task.pace) {
    experiment.claims().require_all();
  }
}

}  // namespace kit
