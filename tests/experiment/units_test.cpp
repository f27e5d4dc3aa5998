// What --list prints, what --unit means, and what a unit's process ends with.

#include <regimen/experiment/deadline.hpp>
#include <regimen/experiment/errors.hpp>
#include <regimen/experiment/exit_status.hpp>
#include <regimen/experiment/unit_choice.hpp>
#include <regimen/experiment/unit_list.hpp>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/numbers.hpp"

using namespace regimen::experiment;

namespace {

/// Seven units, of which each has a job of every rate.
Plan plan_of_seven() {
  Plan plan;
  for (int seed = 1; seed <= 7; ++seed) {
    const std::string name = "seed" + std::to_string(seed);
    Unit unit{.name = name};
    for (const char* const rate : {"0.1", "0.2"}) {
      unit.jobs.push_back({.name = name + "-" + rate, .factors = {{"seed", std::to_string(seed)}, {"rate", rate}}});
    }
    plan.push_back(unit);
  }
  return plan;
}

std::string names(const Plan& plan) {
  std::string all;
  for (const Unit& unit : plan) {
    all += unit.name + " ";
  }
  return all;
}

/// The units that --unit @REGIMEN_TEST_UNIT means while the variable has a value; the message of a UsageError.
std::string chosen_by(const char* value, int pack = 1) {
  ::setenv("REGIMEN_TEST_UNIT", value, 1);
  std::string result;
  try {
    result = names(chosen(plan_of_seven(), "@REGIMEN_TEST_UNIT", pack));
  } catch (const UsageError& error) {
    result = error.what();
  }
  ::unsetenv("REGIMEN_TEST_UNIT");
  return result;
}

}  // namespace

TEST_CASE("unit: one is chosen by its name, all by none; any other name is an error of use") {
  const Plan plan = plan_of_seven();
  CHECK(names(chosen(plan, "seed3")) == "seed3 ");
  CHECK(chosen(plan, "").size() == 7);
  CHECK_THROWS_AS(chosen(plan, "seed8"), UsageError);
  CHECK_THROWS_WITH(chosen(plan, "seed8"), "--unit must be one of those that --list prints, but is \"seed8\"");
  CHECK_THROWS_AS(chosen(plan, "3"), UsageError);
  CHECK(names(chosen(plan, "seed7,seed2")) == "seed7 seed2 ");
  for (const char* const word : {"seed1,", ",seed1", "seed1,,seed2", "@", ","}) {
    CAPTURE(word);
    CHECK_THROWS_AS(chosen(plan, word), UsageError);
  }
  CHECK_THROWS_WITH(chosen(plan, "seed1,seed2,seed1"), "--unit names seed1 twice");
}

TEST_CASE("unit: a variable has an index from 1, a name, or an item of --list json") {
  CHECK(chosen_by("1") == "seed1 ");
  CHECK(chosen_by("7") == "seed7 ");
  CHECK(chosen_by("007") == "seed7 ");
  CHECK(chosen_by("seed4") == "seed4 ");
  CHECK(chosen_by(" seed4\r\n") == "seed4 ");
  CHECK(chosen_by(R"({"unit": "seed5", "jobs": 2, "seed": "5"})") == "seed5 ");
  CHECK(chosen_by(R"({"jobs":2,"seed":"6","unit":"seed6"})") == "seed6 ");
}

TEST_CASE("unit: a variable that names none is an error that says what it may be") {
  CHECK(chosen_by("0") ==
        "--unit @REGIMEN_TEST_UNIT: the variable is 0, and the units are counted from 1 to 7: SLURM's --array=1-7");
  CHECK(chosen_by("8").find("is 8, and the units are counted from 1 to 7") != std::string::npos);
  CHECK(chosen_by("99999999999999999999").find("counted from 1 to 7") != std::string::npos);
  CHECK(chosen_by("seed9") == "--unit must be one of those that --list prints, but is \"seed9\"");
  CHECK(chosen_by("") == "--unit @REGIMEN_TEST_UNIT: the variable is empty");
  CHECK(chosen_by(R"({"seed": "5"})") ==
        R"(--unit @REGIMEN_TEST_UNIT: the variable must be an item of --list json, but is {"seed": "5"})");
  CHECK(chosen_by(R"({"unit": "seed)").find("must be an item of --list json") != std::string::npos);
  CHECK_THROWS_WITH(chosen(plan_of_seven(), "@REGIMEN_TEST_UNIT"),
                    "--unit @REGIMEN_TEST_UNIT: the variable is not set");
}

TEST_CASE("unit: an index counts packs, of which the last may be smaller") {
  CHECK(chosen_by("1", 3) == "seed1 seed2 seed3 ");
  CHECK(chosen_by("3", 3) == "seed7 ");
  CHECK(chosen_by("1", 100) == names(plan_of_seven()));
  CHECK(
      chosen_by("4", 3) ==
      "--unit @REGIMEN_TEST_UNIT: the variable is 4, and the packs of 3 are counted from 1 to 3: SLURM's --array=1-3");
  CHECK(chosen_by("seed1", 3) == "--pack: packs are counted by an index, and REGIMEN_TEST_UNIT is seed1");
  CHECK_THROWS_AS(chosen(plan_of_seven(), "seed1", 3), UsageError);
  // Every unit is in one pack.
  for (int pack = 1; pack <= 8; ++pack) {
    std::string all;
    for (int index = 1; (index - 1) * pack < 7; ++index) {
      all += chosen_by(std::to_string(index).c_str(), pack);
    }
    CHECK(all == names(plan_of_seven()));
  }
}

TEST_CASE("list: names, JSON and a table, with the factors that a unit's jobs share") {
  Plan plan = plan_of_seven();
  plan.resize(2);
  CHECK(list_of(plan, UnitList::names) == "seed1\nseed2\n");
  CHECK(list_of(plan, UnitList::json) ==
        "[{\"unit\": \"seed1\", \"jobs\": 2, \"seed\": \"1\"},\n"
        " {\"unit\": \"seed2\", \"jobs\": 2, \"seed\": \"2\"}]\n");
  CHECK(list_of(plan, UnitList::tsv) == "unit\tjobs\tseed\nseed1\t2\t1\nseed2\t2\t2\n");
  CHECK(list_of({}, UnitList::json) == "[]\n");
  CHECK(list_of({}, UnitList::tsv) == "unit\tjobs\n");
  // A factor that some unit's jobs do not share is no column.
  plan[1].jobs[1].factors[0].second = "3";
  CHECK(list_of(plan, UnitList::tsv) == "unit\tjobs\nseed1\t2\nseed2\t2\n");
  // Nor is one that has the name of another column.
  CHECK(list_of({{"a", {{.name = "a", .factors = {{"unit", "b"}, {"jobs", "x"}, {"rate", "1"}}}}}}, UnitList::json) ==
        "[{\"unit\": \"a\", \"jobs\": 1, \"rate\": \"1\"}]\n");
}

TEST_CASE("list: each item of the JSON chooses its unit") {
  const std::string json = list_of(plan_of_seven(), UnitList::json);
  std::string all;
  for (std::size_t begin = json.find('{'); begin != std::string::npos; begin = json.find('{', begin + 1)) {
    all += chosen_by(json.substr(begin, json.find('}', begin) + 1 - begin).c_str());
  }
  CHECK(all == names(plan_of_seven()));
}

TEST_CASE("deadline: it comes after its time, or with another stop, and not when it is given up") {
  const Deadline soon(0.05);
  for (int tenths = 0; tenths < 100 && !soon.token().stop_requested(); ++tenths) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  CHECK(soon.token().stop_requested());

  std::stop_source other;
  const Deadline late(3600, other.get_token());
  CHECK_FALSE(late.token().stop_requested());
  other.request_stop();
  CHECK(late.token().stop_requested());
  CHECK(Deadline(3600, other.get_token()).token().stop_requested());

  std::stop_token after;
  {
    const Deadline given_up(3600);
    after = given_up.token();
  }
  CHECK_FALSE(after.stop_requested());
}

TEST_CASE("exit status: schedulers tell a second try from an error of use") {
  Task task;
  CHECK(exit_status_of(regimen::Error("no"), task) == 1);
  CHECK(exit_status_of(std::runtime_error("no"), task) == 1);
  CHECK(exit_status_of(UsageError("no"), task) == 2);
  CHECK(exit_status_of(Busy("no"), task) == 75);
  CHECK(exit_status_of(Interrupted(), task) == 130);
  task.unit = "seed1";
  CHECK(exit_status_of(Interrupted(), task) == 85);
  task.requeue_status = 99;
  CHECK(exit_status_of(Interrupted(), task) == 99);
  task.worker = true;  // whose parent has the unit's status
  CHECK(exit_status_of(Interrupted(), task) == 130);
}
