#include <regimen/experiment/time_left.hpp>

#include "support/numbers.hpp"

using namespace regimen::experiment;

namespace {

/// Two units of two seeds: what the flagship trains, in small.
TimeLeft four_chains(bool in_seconds) {
  const auto from_labels = [](const std::string& seed) {
    return Chain{{seed + "-memorize", "memorize", 30}, {seed + "-bad", "arm", 10}};
  };
  const auto from_weights = [](const std::string& seed) { return Chain{{seed + "-good", "arm", 10}}; };
  return TimeLeft({from_labels("1"), from_labels("2"), from_weights("1"), from_weights("2")}, 2, in_seconds);
}

}  // namespace

TEST_CASE("makespan: each piece goes to the worker who is free first") {
  CHECK(makespan({}, 2) == 0);
  CHECK(makespan({3, 2, 1}, 1) == 6);
  CHECK(makespan({3, 2, 1}, 2) == 3);
  CHECK(makespan({1, 2, 3}, 2) == 4);
  CHECK(makespan({3, 2, 1}, 10) == 3);
}

TEST_CASE("makespan: workers who are busy come later") {
  CHECK(makespan({2}, 2, {5}) == 5);
  CHECK(makespan({2}, 2, {5, 4}) == 6);
  CHECK(makespan({}, 2, {5, 4}) == 5);
}

TEST_CASE("duration: the unit suits the length") {
  CHECK(duration(8) == "8 s");
  CHECK(duration(65) == "1 min 05 s");
  CHECK(duration(3600 * 3.25) == "3.2 hours");
  CHECK(duration(86400 * 9.0) == "9.0 days");
}

TEST_CASE("time left: what was measured counts before the first job has ended, other costs do not") {
  CHECK(four_chains(true).seconds(0) == 50.0);
  CHECK_FALSE(four_chains(false).seconds(0));
}

TEST_CASE("time left: a finished job corrects all others by its ratio, and its own kind entirely") {
  TimeLeft left = four_chains(true);
  left.begin("1-memorize", 0);
  left.begin("2-memorize", 0);
  left.end("1-memorize", 60);  // twice what was expected
  left.begin("1-bad", 60);
  // 20 for 1-bad, then 20 for 1-good; 2-memorize is due now, 20 for 2-bad, then 20 for 2-good.
  CHECK(left.seconds(60) == 40.0);
  left.end("2-memorize", 60);
  left.begin("2-bad", 60);
  left.end("1-bad", 64);
  CHECK(left.seconds(64) == 4.0);
}

TEST_CASE("time left: jobs of one kind are off by one factor, and need not cost the same") {
  // The first seed alone has curves, and runs first.
  TimeLeft left({{{"1-arm", "arm", 20}}, {{"2-arm", "arm", 10}}, {{"3-arm", "arm", 10}}}, 1, true);
  left.begin("1-arm", 0);
  left.end("1-arm", 40);
  CHECK(left.seconds(40) == 40.0);
}

TEST_CASE("time left: a job that is done stays done, though a worker goes on with it") {
  TimeLeft left({{{"a", "kind", 10}, {"b", "kind", 10}}}, 1, true);
  left.skip("a");
  left.begin("a", 3, /*anew=*/false);
  CHECK(left.is_done("a"));
  CHECK(left.seconds(3) == 10.0);
}

TEST_CASE("time left: a job that takes longer than its kind is due at any moment, and never earlier than now") {
  TimeLeft left({{{"a", "kind", 10}}}, 1, true);
  left.begin("a", 0);
  CHECK(left.seconds(4) == 6.0);
  CHECK(left.seconds(40) == 0.0);
}

TEST_CASE("time left: the rest of an earlier run's job is no measurement") {
  TimeLeft left({{{"a", "kind", 10}, {"b", "kind", 10}}}, 1, true);
  left.begin("a", 0, /*anew=*/false);
  left.end("a", 1);
  CHECK(left.seconds(1) == 10.0);
}

TEST_CASE("time left: a job that has begun already keeps its beginning") {
  TimeLeft left({{{"a", "kind", 10}, {"b", "kind", 10}}}, 1, true);
  left.begin("a", 0);
  left.begin("a", 2);
  left.end("a", 12);
  CHECK(left.seconds(12) == 12.0);
}

TEST_CASE("time left: jobs are counted, and those done before left out") {
  TimeLeft left = four_chains(true);
  left.skip("1-memorize");
  left.skip("1-bad");
  left.begin("2-memorize", 0);
  CHECK(left.count() == 6);
  CHECK(left.done() == 2);
  CHECK(left.is_done("1-bad"));
  CHECK_FALSE(left.is_done("2-memorize"));
  CHECK(left.running() == std::vector<std::string>{"2-memorize"});
  CHECK(left.seconds(0) == 40.0);
}
