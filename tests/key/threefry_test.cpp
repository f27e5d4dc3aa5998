#include "regimen/key/detail/threefry.hpp"

#include <cstddef>
#include <cstdint>

#include "support/numbers.hpp"

using regimen::detail::Block;
using regimen::detail::Chunk;
using regimen::detail::threefry;
using regimen::detail::threefry_chunk;

namespace {

constexpr Block key{0x0123456789ABCDEF, 0xFEDCBA9876543210};

/// Counters that use all of their bits.
Chunk counters() {
  Chunk chunk;
  for (std::size_t i = 0; i < threefry_chunk; ++i) {
    chunk.first[i] = i * 0x9E3779B97F4A7C15;
    chunk.second[i] = ~static_cast<std::uint64_t>(i);
  }
  return chunk;
}

/// Calls `f(key, chunk, used)` for every length it may be asked for, and compares with one block at a time.
template <class F>
void check_all_lengths(F&& f) {
  const Chunk before = counters();
  for (std::size_t used = 0; used <= threefry_chunk; used += 8) {
    Chunk chunk = before;
    f(key, chunk, used);
    std::size_t wrong = 0;
    std::size_t touched = 0;
    for (std::size_t i = 0; i < threefry_chunk; ++i) {
      const Block counter{before.first[i], before.second[i]};
      const Block words = i < used ? threefry(key, counter) : counter;
      const bool same = chunk.first[i] == words.first && chunk.second[i] == words.second;
      (i < used ? wrong : touched) += same ? 0 : 1;
    }
    CAPTURE(used);
    CHECK(wrong == 0);
    CHECK(touched == 0);
  }
}

}  // namespace

TEST_CASE("threefry gives the published words") {
  // Random123, tests/kat_vectors: threefry2x64 with 20 rounds.
  struct Answer {
    Block counter;
    Block key;
    Block words;
  };
  constexpr std::uint64_t ones = ~std::uint64_t{0};
  const Answer answers[] = {
      {{0, 0}, {0, 0}, {0xc2b6e3a8c2c69865, 0x6f81ed42f350084d}},
      {{ones, ones}, {ones, ones}, {0xe02cb7c4d95d277a, 0xd06633d0893b8b68}},
      {{0x243f6a8885a308d3, 0x13198a2e03707344},
       {0xa4093822299f31d0, 0x082efa98ec4e6c89},
       {0x263c7d30bb0f0af1, 0x56be8361d3311526}},
  };
  for (const Answer& answer : answers) {
    const Block words = threefry(answer.key, answer.counter);
    CHECK(words.first == answer.words.first);
    CHECK(words.second == answer.words.second);
  }
}

TEST_CASE("every bit of the key and of the counter changes about half of the words' bits") {
  const auto flipped = [](Block block, int bit) {
    (bit < 64 ? block.first : block.second) ^= std::uint64_t{1} << (bit % 64);
    return block;
  };
  const auto distance = [](Block a, Block b) {
    return __builtin_popcountll(a.first ^ b.first) + __builtin_popcountll(a.second ^ b.second);
  };
  const Block counter{3, 4};
  const Block words = threefry(key, counter);
  for (int bit = 0; bit < 128; ++bit) {
    CAPTURE(bit);
    const int by_counter = distance(words, threefry(key, flipped(counter, bit)));
    const int by_key = distance(words, threefry(flipped(key, bit), counter));
    CHECK((by_counter > 32 && by_counter < 96));
    CHECK((by_key > 32 && by_key < 96));
  }
}

TEST_CASE("a chunk holds the words of each of its counters, for every length, and leaves the rest alone") {
  check_all_lengths([](Block k, Chunk& chunk, std::size_t used) { threefry(k, chunk, used); });
}

#if defined(__GNUC__)
TEST_CASE("a word at a time, the words are the same") {
  check_all_lengths([](Block k, Chunk& chunk, std::size_t used) {
    regimen::detail::threefry_chunk_in_lanes<std::uint64_t>(k, chunk, used);
  });
}
#endif

#if defined(__GNUC__) && defined(__x86_64__)
TEST_CASE("in the lanes of AVX2, the words are the same") {
  if (!__builtin_cpu_supports("avx2")) {
    WARN("no AVX2 here");
    return;
  }
  check_all_lengths(regimen::detail::threefry_chunk_avx2);
}

TEST_CASE("in the lanes of AVX-512, the words are the same") {
  if (!__builtin_cpu_supports("avx512f")) {
    WARN("no AVX-512 here");
    return;
  }
  check_all_lengths(regimen::detail::threefry_chunk_avx512);
}
#endif

TEST_CASE("a chunk can be cut into whole groups of eight lanes, whatever the lanes") {
  CHECK(threefry_chunk % 8 == 0);
  CHECK(alignof(Chunk) == 64);
}
