#pragma once

#include "support/torch.hpp"

#include <string>

/// The GPU that these tests run on: a real one (real/gpu.cpp, the program cuda-tests), or one that is pretended on a
/// machine without any (pretended/gpu.cpp, the program device-tests).
namespace gpu {

at::Device device();

/// How often the host has waited for it so far.
int waits();

/// Whether what draws without a key, dropout, draws there what it draws on the CPU.
bool draws_as_cpu();

}  // namespace gpu
