#pragma once
// No LibTorch.

#include "regimen/base/config.hpp"

// What of LibTorch's c10d a program has.
#if defined(USE_DISTRIBUTED) && __has_include(<torch/csrc/distributed/c10d/TCPStore.hpp>)
#define REGIMEN_WITH_C10D 1
#else
#define REGIMEN_WITH_C10D 0
#endif
// The CMake target regimen::c10d defines them where Gloo's headers fit LibTorch's, and where NCCL's are.
#ifndef REGIMEN_WITH_GLOO
#define REGIMEN_WITH_GLOO 0
#endif
#ifndef REGIMEN_WITH_NCCL
#define REGIMEN_WITH_NCCL 0
#endif
