#include <regimen/record.hpp>

#include "support/numbers.hpp"

using regimen::Clock;

TEST_CASE("a clock begins at zero everywhere") {
  const Clock clock;
  CHECK(clock.phase == 0);
  CHECK(clock.epoch == 0);
  CHECK(clock.batch == 0);
  CHECK(clock.batches == 0);
  CHECK(clock.step == 0);
  CHECK(clock.position() == 0);
}

TEST_CASE("the position is the epoch plus the part of it that is done") {
  Clock clock{.epoch = 2, .batch = 0, .batches = 4};
  for (clock.batch = 0; clock.batch <= 4; ++clock.batch) {
    CHECK(clock.position() == 2 + static_cast<double>(clock.batch) / 4);
  }
}

TEST_CASE("the last batch of an epoch ends where the next epoch begins") {
  CHECK(Clock{.epoch = 2, .batch = 7, .batches = 7}.position() == Clock{.epoch = 3, .batches = 7}.position());
}

TEST_CASE("where the batches of an epoch are unknown, the position moves once an epoch") {
  CHECK(Clock{.epoch = 3, .batch = 1000}.position() == 3);
}

TEST_CASE("the phase and the steps do not move the position") {
  CHECK(Clock{.phase = 5, .epoch = 1, .batch = 1, .batches = 2, .step = 77}.position() == 1.5);
}

TEST_CASE("the position is known at compile time") {
  static_assert(Clock{.epoch = 1, .batch = 1, .batches = 4}.position() == 1.25);
  SUCCEED();
}

TEST_CASE("clocks are equal only where every count is") {
  const Clock clock{.phase = 1, .epoch = 2, .batch = 3, .batches = 4, .step = 5};
  const auto without = [&](auto Clock::* count) {
    Clock other = clock;
    ++(other.*count);
    return other;
  };
  CHECK(clock == Clock{clock});
  CHECK(clock != without(&Clock::phase));
  CHECK(clock != without(&Clock::epoch));
  CHECK(clock != without(&Clock::batch));
  CHECK(clock != without(&Clock::batches));
  CHECK(clock != without(&Clock::step));
}
