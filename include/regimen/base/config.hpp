#pragma once
// No LibTorch.

// Every header of regimen includes this one, directly or through others, before any code of its own. Without C++20,
// exceptions or run-time type information that code would give hundreds of errors, so compilation ends here: an #error
// alone does not stop a compiler, a missing include file does.
#if __cplusplus <= 201703L && !(defined(_MSVC_LANG) && _MSVC_LANG > 201703L)
#error "regimen needs C++20: compile with -std=c++20 (CMake: link regimen::regimen, which asks for it)"
#include "regimen needs C++20: compile with -std=c++20"
#endif
#ifndef __cpp_exceptions
#error "regimen needs exceptions, as LibTorch does: compile without -fno-exceptions"
#include "regimen needs exceptions: compile without -fno-exceptions"
#endif
#ifndef __cpp_rtti
#error "regimen needs run-time type information, as LibTorch does: compile without -fno-rtti"
#include "regimen needs run-time type information: compile without -fno-rtti"
#endif
