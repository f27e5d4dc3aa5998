#include <string>
#include <vector>

#include <regimen/experiment/cost.hpp>
#include <regimen/experiment/plan.hpp>
#include <regimen/experiment/time_left.hpp>

#include "support/numbers.hpp"

using namespace regimen::experiment;

namespace {

/// A unit of jobs of these costs.
Unit unit(const std::string& name, const std::vector<double>& costs) {
  Unit result{.name = name};
  for (const double cost : costs) {
    result.jobs.push_back({.name = name + "-" + std::to_string(result.jobs.size()), .kind = "kind", .cost = cost});
  }
  return result;
}

std::string names(const Plan& plan) {
  std::string text;
  for (const Unit& each : plan) {
    text += each.name;
  }
  return text;
}

}  // namespace

TEST_CASE("cost: images become seconds through the pace of their network") {
  const Paces paces{{"a", {.training = 100, .scoring = 400}}, {"b", {.training = 50, .scoring = 50}}};
  CHECK(cost({.training = 1000, .scoring = 800}, "a", paces) == 10 + 2 + 0.5);
  CHECK(cost({.training = 1000, .scoring = 800}, "b", paces, 0) == 20 + 16);
}

TEST_CASE("cost: without a pace it is images, of which one that is scored is a third") {
  CHECK(cost({.training = 1000, .scoring = 900}, "a", {}) == 1300);
}

TEST_CASE("cost: a network whose pace nobody measured is an error") {
  CHECK_THROWS_WITH(cost({}, "b", {{"a", {1, 1}}}), "no pace was measured for the network b");
}

TEST_CASE("plan: its time is that of the busiest worker, with a start for each unit") {
  const Plan plan{unit("a", {3, 5}), unit("b", {4}), unit("c", {6}), unit("d", {})};
  // With 2 s to start: 10, 6, 8 and nothing. The longest first: 10 | 8 + 6.
  CHECK(seconds_of(plan[0].jobs) == 10);
  CHECK(seconds_of(plan[0].jobs, 0.5) == 8.5);
  CHECK(seconds_of(plan[3].jobs) == 0);
  CHECK(seconds_of(plan, 1) == 24);
  CHECK(seconds_of(plan, 2) == 14);
  CHECK(seconds_of(plan, 3) == 10);
  CHECK(seconds_of(Plan{}, 3) == 0);
}

TEST_CASE("plan: the longest first, and those of one length stay in order") {
  CHECK(names(longest_first({unit("a", {1}), unit("b", {2, 3}), unit("c", {4}), unit("d", {1})})) == "bcad");
}

TEST_CASE("time left: in words it is rounded up to ten seconds") {
  TimeLeft left({{{"a", "kind", 101}}}, 1, true);
  CHECK(time_left_text(left, 0) == ", about 1 min 50 s left");
  CHECK(time_left_text(TimeLeft({{{"a", "kind", 101}}}, 1, false), 0).empty());
  left.skip("a");
  CHECK(time_left_text(left, 0).empty());
}
