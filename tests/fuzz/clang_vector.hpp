#pragma once
// Included by force ahead of all else where Clang compiles LibTorch 1.13, whose ATen/core/List.h has a vector of an
// incomplete type. Clang evaluates that vector's constexpr members early, in C++20, and refuses; so here they are none.

#include <string>  // before: its constexpr members are needed

#pragma push_macro("_GLIBCXX20_CONSTEXPR")
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR
#include <vector>
#pragma pop_macro("_GLIBCXX20_CONSTEXPR")
