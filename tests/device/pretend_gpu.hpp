#pragma once

#include "testing.hpp"

/// A GPU that is none, for a machine without one: a device type of LibTorch's that no library here serves ("hpu"),
/// whose memory is the host's and whose operations are the CPU's. What matters of a GPU is true of it all the same:
///
/// - its tensors are not the CPU's: code that takes a pointer, or mixes the two, fails;
/// - reading a number from it, or copying between it and the host without saying that nobody waits, is counted;
/// - it records work as a CUDA graph does, every operation with the addresses and the host's numbers that it was
///   called with, does not do it, refuses what waits, and does it again at each replay.
namespace pretend_gpu {

inline const at::Device device(at::kHPU, 0);

/// How often the host has waited for it so far.
int waits();

/// Operations that a recording of the last steps held.
int recorded_operations();

}  // namespace pretend_gpu
