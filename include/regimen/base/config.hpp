#pragma once
// No LibTorch.

// Each header of regimen includes this one, itself or through others, before any code of its own. Without C++20 their
// code would give hundreds of errors, so the compilation ends here: a compiler goes on after an #error, and stops at a
// file that it does not find.
#if __cplusplus <= 201703L && !(defined(_MSVC_LANG) && _MSVC_LANG > 201703L)
#error "regimen needs C++20: compile with -std=c++20 (CMake: link regimen::regimen, which asks for it)"
#include "regimen needs C++20: compile with -std=c++20"
#endif
