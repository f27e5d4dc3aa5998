#pragma once
// Catch2, version 2 or 3, for tests that need no LibTorch.

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;  // where version 2 has it too
#else
#include <catch2/catch.hpp>
#endif
