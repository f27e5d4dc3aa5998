#pragma once

#include <optional>

#include "regimen/experiment/concept.hpp"
#include "regimen/experiment/conduct_options.hpp"
#include "regimen/experiment/deadline.hpp"
#include "regimen/experiment/detail/conductor.hpp"
#include "regimen/experiment/task.hpp"

namespace regimen::inline v0::experiment {

/// Runs an experiment as its task says: lists its units, measures a worker's pace, collects results, or trains one
/// unit, a pack of them or all: one after another, or side by side in processes of this program. A run that is killed
/// can be resumed by `Task::resume`, which a unit does by itself, and ends in the same bytes. Throws Interrupted if the
/// task was stopped, Busy if another process works on what it names, UsageError for other settings and units, and Error
/// for other misuse and for a worker that failed.
inline void conduct(Experiment& experiment, const Task& task, const Conduct& how) {
  Task mine = task;
  std::optional<Deadline> deadline;
  if (!task.unit.empty()) {
    mine.resume = true;
    if (task.budget > 0 && !task.worker) {
      mine.stop = deadline.emplace(task.budget, task.stop).token();
    }
  }
  detail::Conductor conductor(experiment, mine, how);
  if (task.lists()) {
    conductor.list();
  } else if (task.pace) {
    conductor.tell_pace();
  } else if (!task.from.empty()) {
    conductor.show_published();
  } else if (task.collect) {
    conductor.collect();
  } else if (!task.unit.empty()) {
    conductor.train_units();
  } else {
    conductor.train_all();
  }
}

}  // namespace regimen::inline v0::experiment
