#include "regimen/source/detail/producer.hpp"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/numbers.hpp"

using regimen::detail::Producer;

namespace {

bool is_zero(const int& value) {
  return value == 0;
}

/// 1, 2, ..., n, and then 0.
std::function<int()> counting(int n) {
  return [next = 0, n]() mutable { return next == n ? 0 : ++next; };
}

}  // namespace

TEST_CASE("a producer's results come in order, and the last one again and again") {
  for (const std::size_t depth : {std::size_t{1}, std::size_t{2}, std::size_t{100}}) {
    Producer<int> producer(counting(1000), is_zero, depth);
    for (int i = 1; i <= 1000; ++i) {
      REQUIRE(producer.take() == i);
    }
    CHECK(producer.take() == 0);
    CHECK(producer.take() == 0);
  }
}

TEST_CASE("a producer is never more than its depth ahead") {
  std::atomic<int> made{0};
  Producer<int> producer([&] { return ++made; }, is_zero, 3);
  for (int taken = 1; taken <= 50; ++taken) {
    CHECK(producer.take() == taken);
    CHECK(made <= taken + 4);  // three that wait, and one in the making
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(made <= 54);
}

TEST_CASE("a producer that is dropped before its end stops") {
  std::atomic<int> made{0};
  {
    Producer<int> producer([&] { return ++made; }, is_zero, 2);
    CHECK(producer.take() == 1);
  }
  const int at_end = made;
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK(made == at_end);
}

TEST_CASE("what a producer's function throws is thrown to the taker, after the results before it") {
  int next = 0;
  Producer<int> producer(
      [&]() -> int {
        if (++next == 3) {
          throw std::runtime_error("the disk is gone");
        }
        return next;
      },
      is_zero, 8);
  CHECK(producer.take() == 1);
  CHECK(producer.take() == 2);
  CHECK_THROWS_WITH(producer.take(), "the disk is gone");
  CHECK_THROWS_WITH(producer.take(), "the disk is gone");
}

TEST_CASE("many producers live side by side") {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&wrong] {
      for (int round = 0; round < 50; ++round) {
        Producer<int> producer(counting(20), is_zero, 2);
        for (int i = 1; i <= (round % 2 == 0 ? 20 : 7); ++i) {
          wrong += producer.take() == i ? 0 : 1;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(wrong == 0);
}
