#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "regimen/key/generators.hpp"

namespace regimen::inline v0::detail {

/// A guard of LibTorch's global generators of the CPU and of the model's device. They are seeded before each forward
/// pass, so that dropout is a function of (seed, step); the destructor restores their states.
class GeneratorGuard {
 public:
  explicit GeneratorGuard(const at::Device& device) : generators_(device), before_(generators_.states()) {}
  ~GeneratorGuard() { generators_.restore(before_); }
  GeneratorGuard(const GeneratorGuard&) = delete;
  GeneratorGuard& operator=(const GeneratorGuard&) = delete;

  void seed(std::uint64_t seed, std::int64_t step, Purpose purpose, std::int64_t part = 0) {
    generators_.seed(seed, step, purpose, part);
  }

 private:
  Generators generators_;
  std::vector<at::Tensor> before_;
};

}  // namespace regimen::inline v0::detail
