#pragma once
// No LibTorch.

#include "regimen/base/config.hpp"

/// One draw of a key (key.hpp) as C++ code and as the text of that code, which LibTorch compiles for a GPU at run time:
/// written as tensor operations a draw would be about 140 kernels instead of one. Tests compare the C++ with
/// threefry.hpp bit by bit.
namespace regimen::inline v0::detail {

#define REGIMEN_CODE_AND_TEXT(text, ...)       \
  inline constexpr char text[] = #__VA_ARGS__; \
  __VA_ARGS__

// draws = 2: the two words of a block; draws = 4: the upper 24 bits of their halves, the lower half first. `column`
// counts the draws of a sample. Conversions between signed and unsigned words keep all bits.
REGIMEN_CODE_AND_TEXT(
    threefry_kernel_text,
    template <typename T> T regimen_threefry_draw(T id, T column, T key_0, T key_1, T key_2, T draws) {
      typedef unsigned long long word;
      const int rotations[8] = {16, 42, 12, 31, 16, 32, 24, 21};
      const word keys[3] = {static_cast<word>(key_0), static_cast<word>(key_1), static_cast<word>(key_2)};
      word a = static_cast<word>(id) + keys[0];
      word b = static_cast<word>(column / draws) + keys[1];
      for (int round = 0; round < 20; ++round) {
        const int by = rotations[round % 8];
        a += b;
        b = ((b << by) | (b >> (64 - by))) ^ a;
        if (round % 4 == 3) {
          const int injection = round / 4 + 1;
          a += keys[injection % 3];
          b += keys[(injection + 1) % 3] + static_cast<word>(injection);
        }
      }
      const int place = static_cast<int>(column % draws);
      if (draws == 2) {
        return static_cast<T>(place == 0 ? a : b);
      }
      const word half = place < 2 ? a : b;
      return static_cast<T>((place % 2 == 0 ? half & 0xFFFFFFFFull : half >> 32) >> 8);
    })

#undef REGIMEN_CODE_AND_TEXT

inline constexpr char threefry_kernel_name[] = "regimen_threefry_draw";

}  // namespace regimen::inline v0::detail
