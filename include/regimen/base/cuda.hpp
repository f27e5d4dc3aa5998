#pragma once
// No LibTorch.

#include "regimen/base/config.hpp"

/// Whether this LibTorch was built with CUDA, and CUDA's own headers are there too. What needs neither nvcc nor a GPU
/// to be compiled is compiled then; define it as 0 to leave it out.
#if !defined(REGIMEN_WITH_CUDA)
#if __has_include(<c10/cuda/impl/cuda_cmake_macros.h>) && __has_include(<cuda_runtime_api.h>)
#define REGIMEN_WITH_CUDA 1
#else
#define REGIMEN_WITH_CUDA 0
#endif
#endif
