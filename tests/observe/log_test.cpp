#include <regimen/observe.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "support/histories.hpp"
#include "support/numbers.hpp"

#include "support/folder.hpp"

using regimen::CsvLog;
using regimen::Epoch;
using regimen::History;
using regimen::JsonLog;
using regimen::TimeLog;
using regimen::unknown;

namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.is_open());
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Tells `log` that a run begins, or goes on after `history`.
template <class Log>
void begin(Log& log, const std::vector<std::string>& measures = {}, const History& history = {}) {
  const std::vector<std::string> phases = {"a"};
  const std::vector<std::int64_t> epochs = {10};
  const std::function<std::string()> manifest = [] { return std::string("{}"); };
  log(regimen::RunBegin{
      .phases = phases, .epochs = epochs, .measures = measures, .history = history, .manifest = manifest});
}

Epoch epoch_of(int number, const std::string& phase = "a") {
  Epoch epoch;
  epoch.clock.epoch = number;
  epoch.clock.step = 10 * number;
  epoch.phase = phase;
  epoch.train_loss = 0.5;
  epoch.learning_rate = 0.1;
  epoch.seconds = 1.5 * number;
  return epoch;
}

Epoch scored_epoch() {
  Epoch epoch = epoch_of(1, "escape");
  epoch.fit = {.accuracy = 0.9, .loss = 0.25, .samples = 100};
  epoch.clean = {.accuracy = 0.8, .loss = 0.5, .samples = 100};
  epoch.test = {.accuracy = 0.7, .loss = 0.75, .samples = 100};
  epoch.validation = {.accuracy = 0.6, .loss = 1, .samples = 100};
  epoch.measures = {{"norm", 12.5}, {"sharpness", unknown}};
  return epoch;
}

const std::string header =
    "phase,epoch,step,learning_rate,train_loss,fit_accuracy,fit_loss,clean_accuracy,clean_loss,test_accuracy,"
    "test_loss,validation_accuracy,validation_loss";

}  // namespace

TEST_CASE("a CSV log is, byte for byte, a header and a line an epoch") {
  const Folder folder;
  CsvLog log(folder / "log.csv");
  begin(log, {"norm", "sharpness"});
  CHECK(content_of(log.path()) == header + ",norm,sharpness\n");
  log(scored_epoch());
  log(epoch_of(2, "escape"));
  CHECK(content_of(log.path()) == header +
                                      ",norm,sharpness\n"
                                      "escape,1,10,0.1,0.5,0.9,0.25,0.8,0.5,0.7,0.75,0.6,1,12.5,\n"
                                      "escape,2,20,0.1,0.5,,,,,,,,,,\n");
}

TEST_CASE("a CSV log quotes names as RFC 4180 wants it") {
  const Folder folder;
  CsvLog log(folder / "log.csv");
  begin(log, {"a,b", "plain name", "say \"hi\""});
  log(epoch_of(1, "first, second"));
  log(epoch_of(2, "two\nlines"));
  log(epoch_of(3, "\"quoted\""));
  log(epoch_of(4, "no need; none"));
  CHECK(content_of(log.path()) == header +
                                      ",\"a,b\",plain name,\"say \"\"hi\"\"\"\n"
                                      "\"first, second\",1,10,0.1,0.5,,,,,,,,,,,\n"
                                      "\"two\nlines\",2,20,0.1,0.5,,,,,,,,,,,\n"
                                      "\"\"\"quoted\"\"\",3,30,0.1,0.5,,,,,,,,,,,\n"
                                      "no need; none,4,40,0.1,0.5,,,,,,,,,,,\n");
}

TEST_CASE("the columns of the measures are those that were announced, in their order") {
  const Folder folder;
  CsvLog log(folder / "log.csv");
  begin(log, {"z", "a"});
  Epoch epoch = epoch_of(1);
  epoch.measures = {{"a", 1}, {"unannounced", 2}, {"z", 3}};
  log(epoch);
  CHECK(content_of(log.path()) == header + ",z,a\na,1,10,0.1,0.5,,,,,,,,,3,1\n");
}

TEST_CASE("a number of a CSV log reads back as the same double") {
  const Folder folder;
  CsvLog log(folder / "log.csv");
  begin(log);
  const std::vector<double> numbers = {1.0 / 3,
                                       0.1 + 0.2,
                                       -1e-300,
                                       6.02214076e23,
                                       std::numeric_limits<double>::denorm_min(),
                                       std::numeric_limits<double>::max(),
                                       std::numeric_limits<double>::infinity()};
  for (const double number : numbers) {
    Epoch epoch = epoch_of(1);
    epoch.train_loss = number;
    log(epoch);
  }
  std::istringstream lines(content_of(log.path()));
  std::string line;
  std::getline(lines, line);
  for (const double number : numbers) {
    REQUIRE(std::getline(lines, line));
    std::istringstream fields(line);
    std::string field;
    for (int i = 0; i < 5; ++i) {
      std::getline(fields, field, ',');
    }
    CAPTURE(field);
    CHECK(std::strtod(field.c_str(), nullptr) == number);
  }
}

TEST_CASE("a JSON log is, byte for byte, an object an epoch, and null where nothing was measured") {
  const Folder folder;
  JsonLog log(folder / "log.jsonl");
  begin(log, {"norm", "sharpness"});
  CHECK(content_of(log.path()).empty());
  log(scored_epoch());
  log(epoch_of(2, "say \"hi\"\n"));
  CHECK(content_of(log.path()) ==
        "{\"phase\": \"escape\", \"epoch\": 1, \"step\": 10, \"learning_rate\": 0.1, \"train_loss\": 0.5, "
        "\"fit_accuracy\": 0.9, \"fit_loss\": 0.25, \"clean_accuracy\": 0.8, \"clean_loss\": 0.5, "
        "\"test_accuracy\": 0.7, \"test_loss\": 0.75, \"validation_accuracy\": 0.6, \"validation_loss\": 1, "
        "\"norm\": 12.5, \"sharpness\": null}\n"
        "{\"phase\": \"say \\\"hi\\\"\\u000a\", \"epoch\": 2, \"step\": 20, \"learning_rate\": 0.1, "
        "\"train_loss\": 0.5, \"fit_accuracy\": null, \"fit_loss\": null, \"clean_accuracy\": null, "
        "\"clean_loss\": null, \"test_accuracy\": null, \"test_loss\": null, \"validation_accuracy\": null, "
        "\"validation_loss\": null}\n");
}

TEST_CASE("a divergent loss stays a line of JSON") {
  Epoch epoch = epoch_of(1);
  epoch.train_loss = std::numeric_limits<double>::infinity();
  CHECK(JsonLog("").line(epoch).find("\"train_loss\": null") != std::string::npos);
}

TEST_CASE("wall time has a log of its own, and is in no other") {
  const Folder folder;
  TimeLog log(folder / "time.csv");
  begin(log, {"norm"});
  log(epoch_of(1));
  log(epoch_of(2, "b,c"));
  CHECK(content_of(log.path()) == "phase,epoch,seconds\na,1,1.5\n\"b,c\",2,3\n");

  Epoch slower = scored_epoch();
  slower.seconds = 1e6;
  CHECK(CsvLog("").line(slower) == CsvLog("").line(scored_epoch()));
  CHECK(JsonLog("").line(slower) == JsonLog("").line(scored_epoch()));
}

TEST_CASE("when a run goes on, the file is what it would be had the run never stopped") {
  const Folder folder;
  CsvLog whole(folder / "whole.csv");
  begin(whole, {"norm"});
  for (int epoch = 1; epoch <= 4; ++epoch) {
    whole(epoch_of(epoch));
  }

  CsvLog killed(folder / "log.csv");
  begin(killed, {"norm"});
  for (int epoch = 1; epoch <= 3; ++epoch) {
    killed(epoch_of(epoch));
  }
  std::ofstream(folder / "log.csv", std::ios::app) << "a,4,4";  // torn by the kill

  History at_checkpoint;
  at_checkpoint.epochs = {epoch_of(1), epoch_of(2)};
  CsvLog resumed(folder / "log.csv");
  begin(resumed, {"norm"}, at_checkpoint);
  CHECK(content_of(resumed.path()) ==
        resumed.header() + resumed.line(epoch_of(1)) + "\n" + resumed.line(epoch_of(2)) + "\n");
  resumed(epoch_of(3));
  resumed(epoch_of(4));
  CHECK(content_of(resumed.path()) == content_of(whole.path()));
}

TEST_CASE("every log is replaced by the lines of the history") {
  const Folder folder;
  History history;
  history.epochs = {scored_epoch(), epoch_of(2)};
  JsonLog json(folder / "log.jsonl");
  TimeLog time(folder / "time.csv");
  begin(json);
  begin(time);
  json(epoch_of(9));
  time(epoch_of(9));
  begin(json, {}, history);
  begin(time, {}, history);
  CHECK(content_of(json.path()) == json.line(history.epochs[0]) + "\n" + json.line(history.epochs[1]) + "\n");
  CHECK(content_of(time.path()) == "phase,epoch,seconds\nescape,1,1.5\na,2,3\n");
}

TEST_CASE("after every epoch the file ends with a whole line") {
  const Folder folder;
  CsvLog log(folder / "log.csv");
  std::vector<std::string> measures;
  Epoch epoch = epoch_of(1);
  for (int i = 0; i < 2000; ++i) {  // a line longer than any buffer
    measures.push_back("measure_" + std::to_string(i));
    epoch.measures[measures.back()] = i / 7.0;
  }
  begin(log, measures);
  std::string expected = log.header();
  for (int i = 0; i < 3; ++i) {
    log(epoch);
    expected += log.line(epoch) + "\n";
    CHECK(content_of(log.path()) == expected);
  }
}

TEST_CASE("a log makes its folder, and leaves nothing beside the file") {
  const Folder folder;
  CsvLog log(folder / "deep/deeper/log.csv");
  begin(log);
  log(epoch_of(1));
  CHECK(std::filesystem::is_regular_file(folder / "deep/deeper/log.csv"));
  const std::filesystem::directory_iterator files(folder / "deep/deeper");
  CHECK(std::distance(begin(files), end(files)) == 1);
}

TEST_CASE("a path that cannot be written is an Error that names it") {
  const Folder folder;
  const std::string file = folder / "file";
  std::ofstream(file) << "kept";

  CsvLog under_a_file(file + "/log.csv");
  CHECK(error_of([&] { begin(under_a_file); }).find(file) != std::string::npos);
  CsvLog deep_under_a_file(file + "/deep/log.csv");
  CHECK(error_of([&] { begin(deep_under_a_file); }).find(file + "/deep") != std::string::npos);
  CHECK(content_of(file) == "kept");

  std::filesystem::create_directories(folder / "taken/by");
  JsonLog on_a_folder(folder / "taken");
  CHECK(error_of([&] { begin(on_a_folder); }).find(folder / "taken") != std::string::npos);

  TimeLog gone(folder / "gone/time.csv");
  begin(gone);
  std::filesystem::remove_all(folder / "gone");
  const std::string error = error_of([&] { gone(epoch_of(1)); });
  CHECK(error.find(folder / "gone/time.csv") != std::string::npos);
  CHECK(error.find("No such file or directory") != std::string::npos);
}

TEST_CASE("a device that is full is an Error, not a short file") {
  if (!std::filesystem::exists("/dev/full")) {
    return;
  }
  CHECK(error_of([] { regimen::detail::append_line("/dev/full", "line"); }).find("/dev/full: No space left") !=
        std::string::npos);
}

TEST_CASE("in a loop of one's own, which announces no run, a log begins with its first epoch") {
  const Folder folder;
  std::ofstream(folder / "a.csv") << "what an earlier loop left\n";
  CsvLog log(folder / "a.csv");
  Epoch epoch = epoch_of(1);
  epoch.measures = {{"l2", 0.5}};
  log(epoch);
  epoch.clock.epoch = 2;
  log(epoch);
  const std::string content = content_of(folder / "a.csv");
  CHECK(content.rfind(log.header(), 0) == 0);
  CHECK(log.header().find(",l2\n") != std::string::npos);
  CHECK(std::count(content.begin(), content.end(), '\n') == 3);
}
