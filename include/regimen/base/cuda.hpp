#pragma once
// No LibTorch.

#include "regimen/base/config.hpp"

/// 1 if this LibTorch was built with CUDA and CUDA's own headers are found, else 0. With 1, the CUDA code that needs
/// neither nvcc nor a GPU to compile is compiled; define it as 0 to leave that code out.
#if !defined(REGIMEN_WITH_CUDA)
#if __has_include(<c10/cuda/impl/cuda_cmake_macros.h>) && __has_include(<cuda_runtime_api.h>)
#define REGIMEN_WITH_CUDA 1
#else
#define REGIMEN_WITH_CUDA 0
#endif
#endif
