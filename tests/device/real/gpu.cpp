// The first CUDA device. Without one the program ends with 77 before its first test: it was compiled, linked and
// loaded.

#include "device/gpu.hpp"

#include <ATen/Context.h>
#include <c10/cuda/CUDAFunctions.h>

#include <cstdio>
#include <cstdlib>

namespace {

int waited = 0;

/// Counts what LibTorch warns of in its debug mode for operations that synchronize.
struct Counter final : c10::WarningHandler {
  void process(const c10::Warning& warning) override {
    if (warning.msg().find("synchroniz") != std::string::npos) {
      ++waited;
    }
  }
};

const bool there = [] {
  if (!torch::cuda::is_available()) {
    std::printf("SKIPPED: there is no GPU here\n");
    std::fflush(stdout);
    std::_Exit(77);
  }
  // What is compared are steps, not the rounding of TF32, and not which algorithm was the faster.
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setBenchmarkCuDNN(false);
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 1);
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
  static Counter counter;
  c10::WarningUtils::set_warning_handler(&counter);
  c10::cuda::warning_state().set_sync_debug_mode(c10::cuda::SyncDebugMode::L_WARN);
  return true;
}();

}  // namespace

namespace gpu {

at::Device device() {
  return {at::kCUDA, 0};
}

int waits() {
  return waited;
}

bool draws_as_cpu() {
  return false;
}

}  // namespace gpu
