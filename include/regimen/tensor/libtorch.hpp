#pragma once

#include <torch/version.h>

#include "regimen/base/config.hpp"

// What LibTorches do differently, by name. No other header of regimen asks which version this is; where a header of
// LibTorch exists or not says as much, `__has_include` asks for that one.

/// 1 if this LibTorch is version MAJOR.MINOR or newer.
#define REGIMEN_LIBTORCH_SINCE(major, minor) \
  (TORCH_VERSION_MAJOR > (major) || (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

#if !REGIMEN_LIBTORCH_SINCE(1, 13)
#error "regimen needs LibTorch 1.13 or newer"
#include "regimen needs LibTorch 1.13 or newer"
#endif

/// 1 if autocast's switches take a device type; then the CPU can compute in fp16 as well.
#define REGIMEN_AUTOCAST_BY_DEVICE REGIMEN_LIBTORCH_SINCE(2, 4)

/// 1 if a CUDA graph whose recording failed leaves the allocators in the state of a recording (pytorch#180395, mended
/// in 2.12) and LibTorch has the functions that put them back.
#define REGIMEN_FAILED_RECORDING_STAYS_OPEN (REGIMEN_LIBTORCH_SINCE(2, 11) && !REGIMEN_LIBTORCH_SINCE(2, 12))

namespace regimen::inline v0 {

/// The version of the LibTorch that was compiled against, as its headers say: "2.11.0". Debian 12's 1.13.1 says
/// "1.13.0".
inline constexpr const char* libtorch_version = TORCH_VERSION;

}  // namespace regimen::inline v0
