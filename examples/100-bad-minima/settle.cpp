#include <torch/torch.h>

#include <cstdio>
#include <string>

#include <regimen/base/error.hpp>
#include <regimen/base/version.hpp>
#include <regimen/experiment/processors.hpp>

#include "check.hpp"
#include "data.hpp"
#include "options.hpp"

namespace {

/// What an option leaves open: the toy's tensors are too small for a GPU and for bf16.
void settle_device(Settings& s) {
  const bool cuda = s.data != "toy" && torch::cuda::is_available();
  if (s.device == "auto") {
    s.device = cuda ? "cuda" : "cpu";
  } else if (s.device == "cuda" && !cuda) {
    throw regimen::Error("--device cuda: this LibTorch finds no CUDA device");
  }
  if (s.precision == "auto") {
    s.precision = s.device == "cuda" ? "bf16" : "fp32";
  }
}

void check_root(const Settings& s, const Task& task) {
  const std::string missing = s.root.empty() ? needed_root(s.data) : "";
  if (!missing.empty() && !task.list && !task.collect) {
    throw regimen::Error("--data " + s.data + " needs --root DIR: the folder that holds " + missing);
  }
}

void print_settled(const Settings& s) {
  std::printf("regimen %s, LibTorch %s, %s, %s, %d worker%s of %d thread%s, %d seed%s\n", regimen::version,
              TORCH_VERSION, s.device.c_str(), s.precision.c_str(), s.workers, s.workers == 1 ? "" : "s", s.threads,
              s.threads == 1 ? "" : "s", s.seeds, s.seeds == 1 ? "" : "s");
}

}  // namespace

void settle(Options& options) {
  Settings& s = options.settings;
  Task& task = options.task;
  check_together(s, task);
  check_root(s, task);
  settle_device(s);
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
    print_settled(s);
  }
}
