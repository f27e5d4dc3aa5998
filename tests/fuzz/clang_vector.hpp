#pragma once
// Included by force ahead of all else where Clang compiles LibTorch 1.13 with libstdc++, in C++20. That LibTorch has a
// std::vector of an incomplete type (ATen/core/List.h); Clang evaluates constexpr members of it early, and refuses. So
// here the vector's members are not constexpr; nobody needs them to be.

#include <string>  // ahead, because a string's members must stay constexpr

#pragma push_macro("_GLIBCXX20_CONSTEXPR")
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR
#define __fill_a1 __fill_a1_of_bits  // the one function of <vector> that <string> has declared constexpr
#include <vector>
#undef __fill_a1
#pragma pop_macro("_GLIBCXX20_CONSTEXPR")
