#include <regimen/experiment/workers.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <regimen/base/error.hpp>
#include <regimen/experiment/job_line.hpp>
#include <regimen/experiment/side_by_side.hpp>
#include <regimen/experiment/signals.hpp>

#include "support/numbers.hpp"

using namespace regimen::experiment;

namespace {

Command shell(const std::string& name, const std::string& script) {
  return {name, "/bin/sh", {"sh", "-c", script}};
}

double seconds_since(std::chrono::steady_clock::time_point began) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

/// Whether there is such a process, and not only what is left of it until somebody asks for its status.
bool alive(pid_t id) {
  std::ifstream file("/proc/" + std::to_string(id) + "/cmdline");
  std::string words;
  return static_cast<bool>(std::getline(file, words)) && !words.empty();
}

/// A process that is about to become another program has no words for a moment.
bool lives(pid_t id) {
  for (int i = 0; i < 50 && !alive(id); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return alive(id);
}

bool ends_soon(pid_t id) {
  for (int i = 0; i < 100 && alive(id); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return !alive(id);
}

}  // namespace

TEST_CASE("workers: every command runs, and each line is heard with its name") {
  std::vector<std::string> heard;
  const bool all = run_side_by_side(
      {shell("a", "echo 1; echo 2"), shell("b", "printf 3")}, 1,
      {.heard = [&](const std::string& name, const std::string& line) { heard.push_back(name + line); }});
  CHECK(all);
  CHECK(heard == std::vector<std::string>{"a1", "a2", "b3"});
}

TEST_CASE("workers: no more at once than allowed, in their order") {
  const std::filesystem::path marks = "marks-" + std::to_string(::getpid());
  std::filesystem::create_directory(marks);
  std::vector<std::string> started;
  std::vector<int> counts;
  std::vector<Command> commands;
  for (int i = 0; i < 6; ++i) {
    // Each leaves a mark for as long as it lives, and says how many there are.
    commands.push_back(shell(std::to_string(i), "touch $$; ls | wc -l; sleep 0.15; ls | wc -l; rm $$"));
    commands.back().folder = marks.string();
  }
  run_side_by_side(commands, 2,
                   {.started = [&](const std::string& name) { started.push_back(name); },
                    .heard = [&](const std::string&, const std::string& line) { counts.push_back(std::stoi(line)); }});
  CHECK(*std::max_element(counts.begin(), counts.end()) == 2);
  CHECK(started == std::vector<std::string>{"0", "1", "2", "3", "4", "5"});
  std::filesystem::remove_all(marks);
}

TEST_CASE("workers: one that fails ends the others, and its message is the error") {
  const auto began = std::chrono::steady_clock::now();
  const std::vector<Command> commands{shell("long", "exec sleep 60"),
                                      shell("bad", "echo '  the disk is full ' >&2; exit 3"),
                                      shell("never", "echo started")};
  std::string said;
  try {
    run_side_by_side(commands, 2, {.heard = [&](const std::string&, const std::string& line) { said += line; }});
    FAIL("it did not throw");
  } catch (const regimen::Error& error) {
    CHECK(std::string(error.what()) == "bad: the disk is full");
  }
  CHECK(said.empty());
  CHECK(seconds_since(began) < 30);
}

TEST_CASE("workers: one that says nothing fails by its status or its signal") {
  CHECK_THROWS_WITH(run_side_by_side({shell("a", "exit 4")}, 1), "a: ended with status 4");
  CHECK_THROWS_WITH(run_side_by_side({shell("a", "kill -1 $$")}, 1), "a: ended by signal 1");
  CHECK_THROWS_WITH(run_side_by_side({{"a", "/no/such/program", {"program"}}}, 1), "a: ended with status 127");
}

TEST_CASE("workers: what one that succeeds writes to stderr is passed on") {
  std::string said;
  run_side_by_side(
      {shell("a", "echo careful >&2")}, 1,
      {.complained = [&](const std::string& name, const std::string& errors) { said = name + " " + errors; }});
  CHECK(said == "a careful");
}

TEST_CASE("workers: one that is killed says so, and what to do, whatever it had written") {
  CHECK_THROWS_WITH(run_side_by_side({shell("a", "echo a warning >&2; kill -9 $$")}, 1),
                    "a: ended by signal 9: killed, perhaps for lack of memory. Take fewer --workers, and go on with "
                    "--resume\na warning");
}

TEST_CASE("workers: one that fails is seen where SIGCHLD was ignored") {
  ::signal(SIGCHLD, SIG_IGN);
  CHECK_THROWS_WITH(run_side_by_side({shell("a", "exit 4")}, 1), "a: ended with status 4");
  ::signal(SIGCHLD, SIG_DFL);
}

TEST_CASE("workers: one that dies of the Ctrl-C that stops them all has not failed") {
  int asked = 0;
  CHECK_FALSE(run_side_by_side({shell("a", "kill -2 $$")}, 1, {.stop = [&] { return ++asked > 1; }}));
  // The thread that waits for signals may hear of the Ctrl-C after this one has seen the child end.
  asked = 0;
  CHECK_FALSE(run_side_by_side({shell("a", "kill -15 $$")}, 1, {.stop = [&] { return ++asked > 20; }}));
  asked = 0;
  CHECK_FALSE(run_side_by_side({shell("a", "exit 130")}, 1, {.stop = [&] { return ++asked > 20; }}));
  CHECK_THROWS_WITH(run_side_by_side({shell("a", "exit 130")}, 1, {.stop = [] { return false; }}),
                    "a: ended with status 130");
  CHECK_THROWS_WITH(run_side_by_side({shell("a", "kill -2 $$")}, 1, {.stop = [] { return false; }}),
                    "a: ended by signal 2");
}

TEST_CASE("workers: asked to stop, they end by themselves and the rest does not begin") {
  std::vector<std::string> heard;
  bool ready = false;
  const bool all = run_side_by_side(
      {shell("a", "trap 'echo saved; exit 130' TERM; echo ready; while :; do sleep 0.05; done"), shell("b", "echo b")},
      1,
      {.heard =
           [&](const std::string&, const std::string& line) {
             heard.push_back(line);
             ready = true;
           },
       .stop = [&] { return ready; }});
  CHECK_FALSE(all);
  CHECK(heard == std::vector<std::string>{"ready", "saved"});
}

TEST_CASE("workers: an exception of the overseer's leaves no process behind") {
  pid_t worker = 0;
  const Overseer overseer{.heard = [&](const std::string&, const std::string& line) {
    worker = std::stoi(line);
    throw std::runtime_error("enough");
  }};
  CHECK_THROWS_WITH(run_side_by_side({shell("a", "echo $$; exec sleep 60")}, 1, overseer), "enough");
  CHECK(worker > 0);
  CHECK(ends_soon(worker));
}

TEST_CASE("workers: they die with the process that started them, however that dies") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t parent = ::fork();
  REQUIRE(parent >= 0);
  if (parent == 0) {
    run_side_by_side({shell("a", "echo $$; exec sleep 60")}, 1,
                     {.heard = [&](const std::string&, const std::string& line) {
                       const pid_t id = std::stoi(line);
                       (void)!::write(ends[1], &id, sizeof id);
                     }});
    ::_exit(0);
  }
  pid_t worker = 0;
  REQUIRE(::read(ends[0], &worker, sizeof worker) == sizeof worker);
  CHECK(lives(worker));
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  CHECK(ends_soon(worker));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("job lines: other lines are none") {
  CHECK(JobLine::read("job ends a-b")->job == "a-b");
  CHECK(JobLine::read("job goes-on a")->what == JobLine::What::goes_on);
  CHECK_FALSE(JobLine::read("job sleeps a"));
  CHECK_FALSE(JobLine::read("epoch 3"));
  CHECK_FALSE(JobLine::read(""));
}

TEST_CASE("workers: they can be asked to end though this process blocks the signals") {
  const StopSignals signals;
  bool ready = false;
  CHECK_FALSE(run_side_by_side(
      {shell("a", "echo ready; exec sleep 60")}, 1,
      {.heard = [&](const std::string&, const std::string&) { ready = true; }, .stop = [&] { return ready; }}));
}

TEST_CASE("workers: with keep_going one that fails leaves the others to their ends, and all failures are told") {
  std::string heard;
  const Overseer overseer{
      .heard = [&](const std::string& name, const std::string& line) { heard += name + " " + line + ";"; },
      .keep_going = true};
  CHECK_THROWS_WITH(run_side_by_side({shell("a", "exit 4"), shell("b", "sleep 0.2; echo end"),
                                      shell("c", "echo wrong >&2; exit 5"), shell("d", "echo end")},
                                     1, overseer),
                    "a: ended with status 4\nc: wrong");
  CHECK(heard == "b end;d end;");
  // They end when so many fail before one succeeds that the fault seems to be that of all.
  const std::vector<Command> all(10, shell("x", "exit 1"));
  CHECK_THROWS_WITH(run_side_by_side(all, 1, {.keep_going = true}),
                    "x: ended with status 1\nx: ended with status 1\nx: ended with status 1");
  // A stop is a stop, though one has failed before.
  bool ready = false;
  CHECK_FALSE(run_side_by_side({shell("a", "exit 4"), shell("b", "echo ready; exec sleep 60")}, 1,
                               {.heard = [&](const std::string&, const std::string&) { ready = true; },
                                .stop = [&] { return ready; },
                                .keep_going = true}));
}

TEST_CASE("workers: the work of one that was killed can be handed out again") {
  int begun = 0;
  std::string killed;
  const NextCommand next = [&]() -> std::optional<Command> {
    ++begun;
    return begun == 1   ? std::optional(shell("a", "kill -KILL $$"))
           : begun == 3 ? std::optional(shell("again", "exit 0"))
                        : std::nullopt;
  };
  const auto takes_back = [&](const std::string& name) {
    killed += name;
    return true;
  };
  CHECK(run_in_turn(next, 2, {.takes_back = takes_back}));
  CHECK(killed == "a");
  CHECK(begun == 4);
}

TEST_CASE("side by side: a unit is this program once more; finished ones are left out") {
  // "This program" is the one that runs this test: asked for no test of that name, it ends at once.
  Task task;
  task.words = {"tests", "nothing of this name"};
  task.quiet = true;
  const Command command = detail::worker("b", {"--resume", "--unit", "b"}, 3, task);
  CHECK(command.program == this_program);
  CHECK(command.words == std::vector<std::string>{"tests", "nothing of this name", "--worker", "--workers", "1",
                                                  "--threads", "3", "--resume", "--unit", "b"});
  task.pack = 4;
  CHECK(detail::worker("b", {"--unit", "b"}, 3, task).words ==
        std::vector<std::string>{"tests", "nothing of this name", "--worker", "--workers", "1", "--threads", "3",
                                 "--pack", "1", "--unit", "b"});
  task.pack = 1;
  task.resume = true;
  const Plan plan{{"a", {{"a-1", "kind", 1}}}};
  CHECK_NOTHROW(do_side_by_side(plan, {.is_finished = [](const ExpectedJob& job) { return job.name == "a-1"; }}, task));
  // Catch2 knows no --worker: had it been started, it would have failed.
  CHECK_THROWS_AS(do_side_by_side(plan, {.is_finished = [](const ExpectedJob&) { return false; }}, task),
                  regimen::Error);
}

TEST_CASE("side by side: short units share a process, long ones do not, and each is handed out once, in order") {
  std::vector<std::string> units;
  std::string all;
  for (int i = 0; i < 300; ++i) {
    units.push_back("u" + std::to_string(i));
    all += units.back() + ",";
  }
  const auto hand_out = [&](double seconds_of_a_unit) {
    detail::Portions portions(units, 2, /*several=*/true);
    std::string given;
    std::vector<std::size_t> counts;
    for (detail::Portions::Portion portion = portions.next(); !portion.units.empty(); portion = portions.next()) {
      given += portion.list() + ",";
      counts.push_back(portion.units.size());
      CHECK(portions.called(portion.name).units == portion.units);
      portions.succeeded(portion.name, seconds_of_a_unit * static_cast<double>(portion.units.size()));
    }
    CHECK(given == all);
    return counts;
  };
  // Each portion is a quarter of what is left, for two workers.
  CHECK(hand_out(0.001) ==
        std::vector<std::size_t>{1, 74, 56, 42, 31, 24, 18, 13, 10, 7, 6, 4, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1});
  // Five seconds' worth of them, as long as that is less.
  const std::vector<std::size_t> tens = hand_out(0.5);
  CHECK(tens[0] == 1);
  CHECK(*std::max_element(tens.begin(), tens.end()) == 10);
  CHECK(std::count(tens.begin(), tens.end(), 10) == 26);
  CHECK(hand_out(3) == std::vector<std::size_t>(300, 1));

  // Of those of a process that was killed each has one of its own.
  detail::Portions portions({"a", "b", "c", "d", "e", "f", "g", "h", "i"}, 1, /*several=*/true);
  portions.succeeded(portions.next().name, 0.001);
  const detail::Portions::Portion killed = portions.next();
  CHECK(killed.list() == "b,c,d,e");
  CHECK(portions.take_back(killed.name));
  CHECK(portions.next().list() == "f,g,h,i");
  for (const char* const unit : {"b", "c", "d", "e"}) {
    const detail::Portions::Portion alone = portions.next();
    CHECK(alone.list() == unit);
    CHECK_FALSE(portions.take_back(alone.name));
  }
  CHECK(portions.next().units.empty());

  // A word of a command line has a limit.
  detail::Portions long_names(std::vector<std::string>(1000, std::string(1000, 'x')), 1, /*several=*/true);
  long_names.succeeded(long_names.next().name, 0.001);
  CHECK(long_names.next().list().size() < 128 * 1024);
  detail::Portions single(units, 2, /*several=*/false);
  single.succeeded(single.next().name, 0.001);
  CHECK(single.next().list() == "u1");
}

TEST_CASE("side by side: a task that was stopped begins nothing") {
  std::stop_source stop;
  stop.request_stop();
  Task task;
  task.stop = stop.get_token();
  task.quiet = true;
  CHECK_THROWS_AS(do_side_by_side({{"a", {{"a-1", "kind", 1}}}}, {}, task), Interrupted);
  CHECK_THROWS_AS(measure_side_by_side(2, 1, task), Interrupted);
}
