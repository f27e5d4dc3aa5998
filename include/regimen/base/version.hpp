#pragma once
// No LibTorch.

#include "regimen/base/config.hpp"

/// The version of regimen, defined here alone: CMake, vcpkg and Conan read these three lines.
#define REGIMEN_VERSION_MAJOR 0
#define REGIMEN_VERSION_MINOR 2
#define REGIMEN_VERSION_PATCH 0

namespace regimen::inline v0 {

/// The version as text: "0.2.0".
#define REGIMEN_TEXT_OF(x) #x
#define REGIMEN_TEXT(x) REGIMEN_TEXT_OF(x)
inline constexpr const char* version =
    REGIMEN_TEXT(REGIMEN_VERSION_MAJOR) "." REGIMEN_TEXT(REGIMEN_VERSION_MINOR) "." REGIMEN_TEXT(REGIMEN_VERSION_PATCH);
#undef REGIMEN_TEXT
#undef REGIMEN_TEXT_OF

}  // namespace regimen::inline v0
