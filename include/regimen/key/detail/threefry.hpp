#pragma once
// No LibTorch.

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "regimen/base/config.hpp"

/// Threefry-2x64 with 20 rounds: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC
/// 2011). A key and a counter of two 64-bit words each give two random words. There is no state, so draws can be made
/// at any time, in any order and on any thread. Of the published generators it needs the fewest instructions on
/// processors with 64-bit vector adds but no 64-bit vector multiply (AVX2).
namespace regimen::inline v0::detail {

inline constexpr int threefry_rounds = 20;
inline constexpr std::array<int, 8> threefry_rotations{16, 42, 12, 31, 16, 32, 24, 21};
inline constexpr std::uint64_t threefry_parity = 0x1BD11BDAA9FC1A22;

/// The rounds of Threefry, for any type that adds, xors and shifts: a word, a register of words, a tensor.
template <class Words, class Rotate, class Word>
[[gnu::always_inline]] inline void threefry_mix(Words& x0, Words& x1, Word k0, Word k1, Word k2, Rotate&& rotate) {
  const Word keys[3] = {k0, k1, k2};
  x0 += k0;
  x1 += k1;
#pragma GCC unroll 20
  for (int round = 0; round < threefry_rounds; ++round) {
    x0 += x1;
    rotate(x1, threefry_rotations[static_cast<std::size_t>(round % 8)]);
    x1 ^= x0;
    if (round % 4 == 3) {
      const int injection = round / 4 + 1;
      x0 += keys[injection % 3];
      if constexpr (std::is_integral_v<Word>) {
        x1 += static_cast<Word>(keys[(injection + 1) % 3] + static_cast<Word>(injection));
      } else {
        x1 += keys[(injection + 1) % 3];
        x1 += injection;
      }
    }
  }
}

struct Block {
  std::uint64_t first;
  std::uint64_t second;
};

/// The two random words for key (k0, k1) and counter (c0, c1).
inline Block threefry(Block key, Block counter) {
  threefry_mix(counter.first, counter.second, key.first, key.second, threefry_parity ^ key.first ^ key.second,
               [](std::uint64_t& word, int by) { word = (word << by) | (word >> (64 - by)); });
  return counter;
}

/// Number of blocks that fit the first-level cache together with the results.
inline constexpr std::size_t threefry_chunk = 512;

/// A chunk of counters, which is overwritten by its random words.
struct Chunk {
  alignas(64) std::array<std::uint64_t, threefry_chunk> first;
  alignas(64) std::array<std::uint64_t, threefry_chunk> second;
};

#if defined(__GNUC__)

/// Vectors of exactly one register: g++ spills wider ones to memory.
using Lanes4 [[gnu::vector_size(32)]] = std::uint64_t;
using Lanes8 [[gnu::vector_size(64)]] = std::uint64_t;

template <class Lanes>
[[gnu::always_inline]] inline void threefry_chunk_in_lanes(Block key, Chunk& chunk, std::size_t used) {
  const std::uint64_t parity = threefry_parity ^ key.first ^ key.second;
  for (std::size_t i = 0; i < used; i += sizeof(Lanes) / sizeof(std::uint64_t)) {
    Lanes& x0 = *reinterpret_cast<Lanes*>(&chunk.first[i]);
    Lanes& x1 = *reinterpret_cast<Lanes*>(&chunk.second[i]);
    Lanes a = x0;
    Lanes b = x1;
    threefry_mix(a, b, key.first, key.second, parity,
                 [](Lanes& words, int by) { words = (words << by) | (words >> (64 - by)); });
    x0 = a;
    x1 = b;
  }
}

#if defined(__x86_64__)
[[gnu::target("avx512f")]] inline void threefry_chunk_avx512(Block key, Chunk& chunk, std::size_t used) {
  threefry_chunk_in_lanes<Lanes8>(key, chunk, used);
}
[[gnu::target("avx2")]] inline void threefry_chunk_avx2(Block key, Chunk& chunk, std::size_t used) {
  threefry_chunk_in_lanes<Lanes4>(key, chunk, used);
}
#endif

/// Replaces the first `used` counters of the chunk by random words, with the widest registers of this processor. The
/// words do not depend on their width.
inline void threefry(Block key, Chunk& chunk, std::size_t used) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) {
    return threefry_chunk_avx512(key, chunk, used);
  }
  if (__builtin_cpu_supports("avx2")) {
    return threefry_chunk_avx2(key, chunk, used);
  }
#endif
  threefry_chunk_in_lanes<std::uint64_t>(key, chunk, used);
}

#else

inline void threefry(Block key, Chunk& chunk, std::size_t used) {
  for (std::size_t i = 0; i < used; ++i) {
    const Block words = threefry(key, Block{chunk.first[i], chunk.second[i]});
    chunk.first[i] = words.first;
    chunk.second[i] = words.second;
  }
}

#endif

}  // namespace regimen::inline v0::detail
