#pragma once
// No LibTorch.

#include <algorithm>

#include <regimen/experiment/task.hpp>

namespace kit {

/// The units, of so many, that a process can be asked to train.
inline int units_here(const regimen::experiment::Task& task, int units) {
  return task.pace || task.worker ? 1 : task.unit.empty() ? units : std::min(task.pack, units);
}

/// Workers and threads of each, where the options leave them open (0): no more workers than units, one for a program
/// that is to be one process. `here`: processors of this machine; `all_threads`: whether a worker takes its share of
/// them, else one.
inline void settle_workers(int& workers, int& threads, int units, bool one_process, bool all_threads, int here) {
  if (one_process) {
    workers = 1;
  } else if (workers == 0) {
    workers = std::clamp(here / std::max(1, threads), 1, units);
  }
  workers = std::min(workers, units);
  if (threads == 0) {
    threads = all_threads ? std::max(1, here / workers) : 1;
  }
}

}  // namespace kit
