#include "machine.hpp"

#include <torch/torch.h>

#include <cstdio>
#include <string>

#include <regimen/base/version.hpp>
#include <regimen/experiment/processors.hpp>
#include <regimen/tensor/libtorch.hpp>

#include "workers.hpp"

namespace rg = regimen;

namespace kit {
namespace {

/// Turns "auto" into what this machine has.
void settle_device(std::string& device, std::string& precision, bool may_use_gpu) {
  const bool cuda = may_use_gpu && torch::cuda::is_available();
  if (device == "auto") {
    device = cuda ? "cuda" : "cpu";
  } else if (device == "cuda" && !cuda) {
    throw rg::Error("--device cuda: this LibTorch finds no CUDA device");
  }
  if (precision == "auto") {
    precision = device == "cuda" ? "bf16" : "fp32";
  }
}

void print(const Machine& machine, int seeds) {
  const auto plural = [](int count) { return count == 1 ? "" : "s"; };
  std::printf("regimen %s, LibTorch %s, %s, %s, %d worker%s of %d thread%s, %d seed%s\n", rg::version,
              rg::libtorch_version, machine.device.c_str(), machine.precision.c_str(), machine.workers,
              plural(machine.workers), machine.threads, plural(machine.threads), seeds, plural(seeds));
}

}  // namespace

regimen::experiment::Conduct settle(Machine& machine, const DataOptions& data, int units, int seeds,
                                    const regimen::experiment::Task& task, const MachineUse& use) {
  if (!task.lists() && !task.collect && task.from.empty()) {
    require_root(data);
  }
  settle_device(machine.device, machine.precision, !use.small);
  const bool one_process = machine.device == "cuda" || use.small;
  settle_workers(machine.workers, machine.threads, units_here(task, units), one_process, use.all_threads,
                 regimen::experiment::processors());
  torch::set_num_threads(machine.threads);
  if (!task.lists() && !task.worker) {
    print(machine, seeds);
  }
  return {.workers = machine.workers, .threads = machine.threads};
}

rg::Execution execution_of(const std::string& device, const std::string& precision) {
  rg::Execution execute{.precision = precision == "bf16" ? rg::Precision::bf16 : rg::Precision::fp32,
                        .memory_format = rg::MemoryFormat::channels_last};
  if (device == "cuda") {
    execute.device = "cuda";
    execute.fused = true;
    execute.graph = true;
    execute.autotune = true;
  }
  return execute;
}

rg::Evaluation scoring_of(const std::string& device, const std::string& precision, const Images& images) {
  return {.preprocess = {images.normalize},
          .execute = execution_of(device, precision),
          // On a CPU small enough for the caches: twice as fast as 500.
          .batch = device == "cuda" ? 1000 : 100};
}

}  // namespace kit
