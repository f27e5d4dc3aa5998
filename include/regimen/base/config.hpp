#pragma once
// No LibTorch.

// Every header of regimen includes this one, directly or through others, before any code of its own. Without C++20 that
// code would give hundreds of errors, so compilation ends here: an #error alone does not stop a compiler, a missing
// include file does.
#if __cplusplus <= 201703L && !(defined(_MSVC_LANG) && _MSVC_LANG > 201703L)
#error "regimen needs C++20: compile with -std=c++20 (CMake: link regimen::regimen, which asks for it)"
#include "regimen needs C++20: compile with -std=c++20"
#endif
