#pragma once

#include <ATen/Context.h>
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "regimen/detail/threefry.hpp"
#include "regimen/error.hpp"
#include "regimen/model.hpp"

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
  explicit GeneratorGuard(const at::Device& device) {
    keep(at::Device(at::kCPU));
    if (!device.is_cpu()) {
      keep(device);
    }
  }

  ~GeneratorGuard() {
    for (Kept& kept : kept_) {
      const std::lock_guard<std::mutex> lock(kept.generator.mutex());
      kept.generator.set_state(kept.state);
    }
  }

  GeneratorGuard(const GeneratorGuard&) = delete;
  GeneratorGuard& operator=(const GeneratorGuard&) = delete;

  void seed(std::uint64_t seed, std::int64_t step, int part) {
    const Block words = threefry({seed, 0}, {static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(part)});
    for (Kept& kept : kept_) {
      const std::lock_guard<std::mutex> lock(kept.generator.mutex());
      kept.generator.set_current_seed(words.first);
    }
  }

 private:
  struct Kept {
    at::Generator generator;
    at::Tensor state;
  };

  void keep(const at::Device& device) {
    at::Generator generator = at::globalContext().defaultGenerator(device);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    kept_.push_back({generator, generator.get_state()});
  }

  std::vector<Kept> kept_;
};

/// Takes parameters out of training for a phase: those whose name is in the list, or begins with "an entry.".
class FreezeGuard {
 public:
  FreezeGuard(const Model& model, const std::vector<std::string>& names) {
    for (Named& named : model.named_parameters()) {
      if (matches(named.name, names) && named.tensor.requires_grad()) {
        named.tensor.set_requires_grad(false);
        frozen_.push_back(named.tensor);
      }
    }
  }
  ~FreezeGuard() {
    for (at::Tensor& tensor : frozen_) {
      tensor.set_requires_grad(true);
    }
  }
  FreezeGuard(const FreezeGuard&) = delete;
  FreezeGuard& operator=(const FreezeGuard&) = delete;

  static bool matches(const std::string& parameter, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      if (parameter == name || parameter.rfind(name + ".", 0) == 0) {
        return true;
      }
    }
    return false;
  }

 private:
  std::vector<at::Tensor> frozen_;
};

}  // namespace regimen::inline v0::detail
