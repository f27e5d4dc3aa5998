#include <regimen/observe.hpp>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include <unistd.h>

#include "support/histories.hpp"
#include "support/numbers.hpp"

namespace read_log_test {

using regimen::CsvLog;
using regimen::Epoch;
using regimen::History;
using regimen::JsonLog;
using regimen::read_csv_log;
using regimen::read_json_log;
using regimen::unknown;

namespace {

/// A file of this test's own, removed at its end.
class File {
 public:
  explicit File(const std::string& content = "") : path_(name()) { write(content); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { std::filesystem::remove(path_); }

  [[nodiscard]] const std::string& path() const { return path_; }
  void write(const std::string& content) const { std::ofstream(path_, std::ios::binary) << content; }
  [[nodiscard]] std::string content() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

 private:
  static std::string name() {
    static int files = 0;
    const std::string own = "regimen-read-log-" + std::to_string(::getpid()) + "-" + std::to_string(files++);
    return (std::filesystem::temp_directory_path() / own).string();
  }

  std::string path_;
};

/// Writes the log of a run that has gone as far as the history.
template <class Log>
void log_to(const std::string& path, const std::vector<std::string>& measures, const History& history) {
  const std::vector<std::string> phases = {"a"};
  const std::vector<std::int64_t> epochs = {10};
  const std::function<std::string()> manifest = [] { return std::string("{}"); };
  Log log(path);
  log(regimen::RunBegin{
      .phases = phases, .epochs = epochs, .measures = measures, .history = history, .manifest = manifest});
}

/// An epoch as a log holds it: scores of one sample.
Epoch epoch_of(int phase, const std::string& name, int number, bool scored) {
  Epoch epoch;
  epoch.clock = {.phase = phase, .epoch = number, .step = 10 * number};
  epoch.phase = name;
  epoch.train_loss = 1.0 / 3 / number;
  epoch.learning_rate = 0.1 + 0.2;
  if (scored) {
    epoch.fit = {.accuracy = 0.9, .loss = 6.02214076e23, .samples = 1};
    epoch.test = {.accuracy = unknown, .loss = std::numeric_limits<double>::denorm_min(), .samples = 1};
    epoch.validation = {.accuracy = 1.0 / 7, .loss = -0.0, .samples = 1};
    epoch.measures = {{"norm, \"l2\"", 12.5 + number}, {"phase", -1e-300}, {"sharpness", unknown}};
  }
  return epoch;
}

const std::vector<std::string> measures = {"norm, \"l2\"", "phase", "sharpness"};

/// Four phases, two of one name behind each other; names that need quotes; epochs that were scored and others.
History everything() {
  History history;
  history.epochs = {epoch_of(0, "first, \"quoted\"", 1, false),
                    epoch_of(0, "first, \"quoted\"", 2, true),
                    epoch_of(1, "two\nlines\r\n\t\x01", 1, true),
                    epoch_of(2, "gr\xc3\xbcn", 1, false),
                    epoch_of(2, "gr\xc3\xbcn", 3, true),
                    epoch_of(3, "gr\xc3\xbcn", 3, true),
                    epoch_of(4, "", 4, false)};
  return history;
}

const std::string header =
    "phase,epoch,step,learning_rate,train_loss,fit_accuracy,fit_loss,clean_accuracy,clean_loss,test_accuracy,"
    "test_loss,validation_accuracy,validation_loss";

std::string csv_error(const std::string& content) {
  const File file(content);
  const std::string message = error_of([&] { (void)read_csv_log(file.path()); });
  REQUIRE(message.rfind(file.path(), 0) == 0);
  return message.substr(file.path().size());
}

std::string json_error(const std::string& content) {
  const File file(content);
  const std::string message = error_of([&] { (void)read_json_log(file.path()); });
  REQUIRE(message.rfind(file.path(), 0) == 0);
  return message.substr(file.path().size());
}

}  // namespace

TEST_CASE("read_csv_log: gives what was logged, to the bit") {
  const File file;
  log_to<CsvLog>(file.path(), measures, everything());
  const History read = read_csv_log(file.path());
  CHECK((read == everything()));
  CHECK(std::signbit(read.epochs[1].validation.loss));

  const File again;
  log_to<CsvLog>(again.path(), measures, read);
  CHECK(again.content() == file.content());
}

TEST_CASE("read_json_log: gives what was logged, to the bit") {
  const File file;
  log_to<JsonLog>(file.path(), measures, everything());
  const History read = read_json_log(file.path());
  CHECK((read == everything()));

  const File again;
  log_to<JsonLog>(again.path(), measures, read);
  CHECK(again.content() == file.content());
}

TEST_CASE("read_log: a run without an epoch has a log without one") {
  const File file;
  log_to<CsvLog>(file.path(), measures, {});
  CHECK(read_csv_log(file.path()).empty());
  log_to<JsonLog>(file.path(), measures, {});
  CHECK(read_json_log(file.path()).empty());
}

TEST_CASE("read_log: infinite losses come back from CSV; JSON has none") {
  History history;
  history.epochs = {epoch_of(0, "a", 1, false)};
  history.epochs[0].train_loss = -INFINITY;
  const File file;
  log_to<CsvLog>(file.path(), {}, history);
  CHECK(read_csv_log(file.path()).back().train_loss == -INFINITY);
  log_to<JsonLog>(file.path(), {}, history);
  CHECK(std::isnan(read_json_log(file.path()).back().train_loss));
}

TEST_CASE("read_log: what a log does not hold is as it is in an Epoch that nobody wrote to") {
  History history;
  history.epochs = {epoch_of(0, "a", 2, true)};
  Epoch& epoch = history.epochs[0];
  epoch.clock.batch = 5;
  epoch.clock.batches = 7;
  epoch.fit.samples = 100;
  epoch.seconds = 3;
  epoch.clean = {.accuracy = unknown, .loss = unknown, .samples = 100};  // scored, and nothing in the log
  history.outcomes = {{.phase = "a", .ended = regimen::Ended::epochs}};
  const File file;
  log_to<CsvLog>(file.path(), measures, history);
  const History read = read_csv_log(file.path());
  CHECK((read.back() == epoch_of(0, "a", 2, true)));
  CHECK(read.back().fit.scored());
  CHECK_FALSE(read.back().clean.scored());
  CHECK(read.back().seconds == 0);
  CHECK(read.outcomes.empty());
}

TEST_CASE("read_log: an empty CSV measure is NaN in a scored epoch, and not in others") {
  const File file(header + ",norm\na,1,10,0.1,0.5,,,,,,,,,\na,2,20,0.1,0.5,,,,,0.5,,,,\n");
  const History read = read_csv_log(file.path());
  CHECK(read.epochs[0].measures.empty());
  CHECK_FALSE(read.epochs[0].scored());
  CHECK(std::isnan(read.epochs[1].measures.at("norm")));
  CHECK(read.epochs[1].test.scored());
}

TEST_CASE("read_log: JSON that another program wrote anew is read as well") {
  std::string line =
      "{ \"phase\" : \"gr\\u00fcn \\ud83d\\ude00 \\u20ac\\t\\/\", \"epoch\": 1 , \"step\":2,\"learning_rate\": 1e-1";
  for (const char* const name : {"train_loss", "fit_accuracy", "fit_loss", "clean_accuracy", "clean_loss",
                                 "test_accuracy", "test_loss", "validation_accuracy", "validation_loss"}) {
    line += std::string(", \"") + name + "\": null";
  }
  const File file(line + ", \"norm\" : 3 } \r\n");
  const History read = read_json_log(file.path());
  CHECK(read.back().phase == "gr\xc3\xbcn \xf0\x9f\x98\x80 \xe2\x82\xac\t/");
  CHECK(read.back().clock.step == 2);
  CHECK(read.back().learning_rate == 0.1);
  CHECK(read.back().measures.at("norm") == 3);
}

TEST_CASE("read_log: CSV with the ends of lines of Windows is read as well") {
  const File file(header + "\r\n\"a\",1,10,0.1,0.5,,,,,,,,\r\n");
  CHECK(read_csv_log(file.path()).back().train_loss == 0.5);
}

TEST_CASE("read_log: a file that is cut off anywhere in a line says so, with the line") {
  for (const bool as_json : {false, true}) {
    const File file;
    if (as_json) {
      log_to<JsonLog>(file.path(), measures, everything());
    } else {
      log_to<CsvLog>(file.path(), measures, everything());
    }
    const std::string whole = file.content();
    std::size_t refused = 0;
    for (std::size_t length = 0; length < whole.size(); ++length) {
      file.write(whole.substr(0, length));
      const std::string message =
          error_of([&] { (void)(as_json ? read_json_log(file.path()) : read_csv_log(file.path())); });
      CAPTURE(as_json, length, message);
      if (message.empty()) {
        CHECK((length == 0 || whole[length - 1] == '\n'));  // whole lines
      } else {
        const bool known = message.find(": the line is cut off") != std::string::npos ||
                           message == file.path() + " is empty, and no CsvLog";
        CHECK(known);
        ++refused;
      }
    }
    CHECK(refused > whole.size() - 10);
  }
}

TEST_CASE("read_log: lines are counted as an editor does, ends of lines in names too") {
  CHECK(csv_error(header + "\n\"two\nlines\",1,10,0.1,0.5,,,,,,,,\na,x,10,0.1,0.5,,,,,,,,\n") ==
        ":4: epoch must be a whole number, but is \"x\"");
}

TEST_CASE("read_csv_log: what is no log of CsvLog is an Error with its line") {
  CHECK(csv_error("") == " is empty, and no CsvLog");
  CHECK(csv_error("phase,epoch,seconds\n") ==
        ":1: the first line must be the header of a CsvLog: phase,epoch,step,learning_rate,...");
  CHECK(csv_error(header + "\na,1,10,0.1\n") == ":2: a line must have 13 fields, as the first has, but has 4");
  CHECK(csv_error(header + "\na,1,10,0.1,0.5,,,,,,,,,\n") ==
        ":2: a line must have 13 fields, as the first has, but has 14");
  CHECK(csv_error(header + "\na,1,1.5,0.1,0.5,,,,,,,,\n") == ":2: step must be a whole number, but is \"1.5\"");
  CHECK(csv_error(header + "\na,1,10,0.1,0.5x,,,,,,,,\n") ==
        ":2: train_loss must be a number or empty, but is \"0.5x\"");
  CHECK(error_of([] { (void)read_csv_log("no/such/file"); }) == "cannot open no/such/file: No such file or directory");
  const std::string folder = std::filesystem::temp_directory_path().string();
  CHECK(error_of([&] { (void)read_csv_log(folder); }) == "cannot read " + folder + ": Is a directory");
}

TEST_CASE("read_json_log: what is no log of JsonLog is an Error with its line") {
  const std::string line = JsonLog("").line(epoch_of(0, "a", 1, true));
  CHECK(json_error(line + "\n[1, 2]\n") == ":2: expected '{' at column 1");
  CHECK(json_error("\n") == ":1: expected '{' at column 1");
  CHECK(json_error("{\"epoch\": 1}\n") == ":1: expected the member \"phase\", but found \"epoch\"");
  CHECK(json_error("{\"phase\": 1}\n") == ":1: expected '\"' at column 11");
  CHECK(json_error("{\"phase\": \"a\", \"epoch\": 1.5, \"step\": 1}\n") == ":1: expected ',' at column 26");
  CHECK(json_error("{\"phase\": \"a\", \"epoch\": one}\n") == ":1: expected a whole number at column 25");
  CHECK(json_error("{\"phase\": \"\\u00g0\"}\n") == ":1: expected four hexadecimal digits at column 16");
  CHECK(json_error("{\"phase\": \"\\ud800\\u0041\"}\n").find("second half") != std::string::npos);
  std::string wrong = line;
  wrong.replace(wrong.find("0.9"), 3, "0,9");
  CHECK(json_error(line + "\n" + wrong + "\n").find(":2: expected") == 0);
  wrong = line;
  wrong.replace(wrong.find("0.9"), 3, "inf");
  CHECK(json_error(wrong + "\n").find("expected a number or null") != std::string::npos);
  CHECK(json_error(line + " {}\n").find("expected the end of the line") != std::string::npos);
}

}  // namespace read_log_test
