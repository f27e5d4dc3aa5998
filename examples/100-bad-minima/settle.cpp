#include <torch/torch.h>

#include <regimen/experiment/processors.hpp>

#include "check.hpp"
#include "kit/data.hpp"
#include "kit/machine.hpp"
#include "options.hpp"

namespace {

void check_root(const Settings& s, const Task& task) {
  if (s.data != "toy" && !task.list && !task.collect) {
    kit::require_root({.name = s.data, .root = s.root});
  }
}

}  // namespace

void settle(Options& options) {
  Settings& s = options.settings;
  Task& task = options.task;
  check_together(s, task);
  check_root(s, task);
  kit::settle_device(s.device, s.precision, s.data != "toy");  // whose tensors are too small for a GPU and for bf16
  if (s.seeds == 0) {
    s.seeds = s.data == "toy" ? 1 : 5;
  }
  if (task.budget < 0) {
    constexpr double default_budget = 480;
    task.budget = is_default(s) && task.unit.empty() ? default_budget : 0;
    task.must_fit = false;
  }
  settle_processors(s, !task.unit.empty() || task.pace, regimen::experiment::processors());
  torch::set_num_threads(s.threads);
  if (!task.list && !task.worker) {
    kit::print_machine(s.device, s.precision, s.workers, s.threads, s.seeds);
  }
}
