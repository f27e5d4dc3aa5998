#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "regimen/detail/put_back.hpp"
#include "regimen/error.hpp"
#include "regimen/generators.hpp"
#include "regimen/weights.hpp"

namespace regimen::inline v0::detail {

/// One run at a time in a process: a forward pass draws from LibTorch's global generators, which two would share.
class OnlyRun {
 public:
  OnlyRun() {
    if (running().exchange(true)) {
      throw Error("run: another run is in progress in this process; both would draw from LibTorch's global generators");
    }
  }
  ~OnlyRun() { running() = false; }
  OnlyRun(const OnlyRun&) = delete;
  OnlyRun& operator=(const OnlyRun&) = delete;

 private:
  static std::atomic<bool>& running() {
    static std::atomic<bool> flag{false};
    return flag;
  }
};

/// LibTorch's global generators of the CPU and of the model's device: seeded before each forward pass, so that dropout
/// is a function of (seed, step), and put back at the end.
class GeneratorGuard {
 public:
  explicit GeneratorGuard(const at::Device& device) : generators_(device), before_(generators_.states()) {}
  ~GeneratorGuard() { generators_.restore(before_); }
  GeneratorGuard(const GeneratorGuard&) = delete;
  GeneratorGuard& operator=(const GeneratorGuard&) = delete;

  void seed(std::uint64_t seed, std::int64_t step, int part) { generators_.seed(seed, step, part); }

 private:
  Generators generators_;
  std::vector<at::Tensor> before_;
};

/// Takes parameters out of training for a phase: those that go by a name in the list, or are in a layer that does.
class FreezeGuard {
 public:
  FreezeGuard(const Weights& model, const std::vector<std::string>& names) {
    for (const Named& named : model.named_parameters()) {
      const at::Tensor tensor = named.tensor;
      if (named.matches(names) && tensor.requires_grad()) {
        tensor.set_requires_grad(false);
        put_back_.add([tensor] { tensor.set_requires_grad(true); });
      }
    }
  }

 private:
  PutBack put_back_;
};

}  // namespace regimen::inline v0::detail
