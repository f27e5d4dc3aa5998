#include <filesystem>
#include <string>
#include <vector>

#include <unistd.h>

#include <regimen/experiment/folder.hpp>
#include <regimen/experiment/settings_file.hpp>

#include "support/numbers.hpp"

namespace ex = regimen::experiment;
namespace fs = std::filesystem;

namespace {

struct Rates {
  double rate = 0.1;
  std::vector<int> decay = {1, 2};
};
struct Sizes {
  int images = 100;
  double rate = 2;
};
struct Settings {
  std::string data = "toy";
  Rates training{};
  Sizes sizes{};
};

/// A folder that a test writes into. A plan is the number of images.
struct Place {
  Place() { fs::remove_all(path); }
  ~Place() { fs::remove_all(path); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  [[nodiscard]] ex::FolderContents contents() const {
    return {.path = path,
            .defaults = "{\"type\": \"Rates\", \"rate\": 0.1, \"images\": 100}",
            .settings =
                [this](const std::string& plan) {
                  if (plan == "nonsense") {
                    throw regimen::Error("no plan");
                  }
                  return "{\"type\": \"Rates\", \"rate\": " + rate + ", \"images\": " + (plan.empty() ? "100" : plan) +
                         "}\n";
                },
            .results = {"table.txt"}};
  }
  void put(const std::string& name, const std::string& content) const { ex::write_file(path + "/" + name, content); }
  [[nodiscard]] std::string get(const std::string& name) const { return ex::read_file(path + "/" + name); }

  std::string path = "folder-of-any-" + std::to_string(::getpid());
  std::string rate = "0.1";
};

ex::Task resumed() {
  ex::Task task;
  task.resume = true;
  return task;
}

ex::Task unit(const std::string& name) {
  ex::Task task;
  task.unit = name;
  return task;
}

}  // namespace

TEST_CASE("settings: what differs is told field by field, whatever the order") {
  const std::string there = "{\"type\": \"S\", \"a\": 1, \"b\": [1, {\"c\": \"}]\"}], \"d\": \"x, \\\"y\\\"\"}";
  CHECK(ex::differences(there, "{\"d\": \"x, \\\"y\\\"\", \"b\": [1, {\"c\": \"}]\"}], \"a\": 1}").empty());
  CHECK(ex::differences(there, "{\"a\": 2, \"b\": [1, {\"c\": \"}\"}], \"d\": \"x, \\\"y\\\"\"}") ==
        "  a: 1 there, 2 now\n  b: [1, {\"c\": \"}]\"}] there, [1, {\"c\": \"}\"}] now\n");
}

TEST_CASE("settings: a field that an older program did not write has its default") {
  const std::string defaults = "{\"type\": \"S\", \"a\": 1, \"new\": {\"type\": \"N\", \"b\": 2}}";
  CHECK(ex::differences("{\"type\": \"S\", \"a\": 1}", defaults, defaults).empty());
  CHECK(ex::differences("{\"type\": \"S\", \"a\": 1}", "{\"a\": 1, \"new\": {\"b\": 3}}", defaults) ==
        "  b: 2 there, 3 now\n");
  CHECK(ex::differences("{\"type\": \"S\"}", "{\"c\": 1}", defaults) == "  c: nothing there, 1 now\n");
}

TEST_CASE("settings: fields of one name in two structs are told apart") {
  Settings now;
  now.training.rate = 0.2;
  now.sizes.images = 50;
  CHECK(ex::differences(ex::settings_text(Settings{}), ex::settings_text(now)) ==
        "  training.rate: 0.1 there, 0.2 now\n  images: 100 there, 50 now\n");
}

TEST_CASE("settings: a text says whose settings it holds") {
  CHECK(ex::settings_type("{\"type\": \"Rates\", \"rate\": 0.1}") == "Rates");
  CHECK(ex::settings_type(ex::settings_text(Settings{})) == regimen::detail::name_of_type<Settings>());
  CHECK(ex::settings_type("{\"editor.fontSize\": 12}").empty());
  CHECK(ex::settings_type("{\"type\": \"Rat").empty());
  CHECK(ex::is_settings_text("{\"type\": \"Rates\"}", "Rates"));
  CHECK_FALSE(ex::is_settings_text("{\"type\": \"RatesOfOld\"}", "Rates"));
  CHECK_FALSE(ex::is_settings_text("", ""));
}

TEST_CASE("settings: a file is compared with them, and must be there") {
  const Place place;
  const std::string path = place.path + "/settings.json";
  CHECK_THROWS_WITH(ex::check_same_settings(path, "{}"), "there is no " + path + ": nothing was trained there yet");
  place.put("settings.json", "{\"rate\": 0.1}");
  CHECK_NOTHROW(ex::check_same_settings(path, "{\"rate\": 0.1, \"batch\": 8}", "{\"batch\": 8}"));
  CHECK_THROWS_WITH(ex::check_same_settings(path, "{\"rate\": 0.2, \"batch\": 9}", "{\"batch\": 8}"),
                    path +
                        " was written with other settings:\n  rate: 0.1 there, 0.2 now\n  batch: 8 there, 9 now\n"
                        "Repeat that run's options, or name another folder with --out");
}

TEST_CASE("results folder: an older program's is gone on with if only defaults are missing") {
  Place place;
  place.put("settings.json", "{\"type\": \"Rates\", \"images\": 100}");
  place.put("checkpoints/a.pt", "weights");
  {
    ex::ResultsFolder folder(place.contents(), resumed());
    CHECK(folder.cut() == "");
    CHECK_NOTHROW(folder.open());
  }
  CHECK(place.get("checkpoints/a.pt") == "weights");
  place.rate = "0.3";
  CHECK_THROWS_AS(ex::ResultsFolder(place.contents(), resumed()).open(), regimen::Error);
}

TEST_CASE("results folder: a plan is kept to, and a file that is none is somebody else's") {
  const Place place;
  { ex::ResultsFolder(place.contents(), {}).open("50"); }
  CHECK(ex::ResultsFolder::peek(place.contents()) == "50");
  CHECK(ex::ResultsFolder(place.contents(), resumed()).cut() == "50");
  CHECK_FALSE(ex::ResultsFolder(place.contents(), {}).cut());
  CHECK_THROWS_AS(ex::ResultsFolder(place.contents(), resumed()).open(), regimen::Error);  // it would be the whole
  fs::remove(place.path + "/settings.json");
  CHECK_NOTHROW(ex::ResultsFolder(place.contents(), {}));
  place.put("plan", "nonsense");
  CHECK_THROWS_AS(ex::ResultsFolder(place.contents(), {}), regimen::Error);
}

TEST_CASE("results folder: units share it, and nobody clears it while one works there") {
  const Place place;
  {
    ex::ResultsFolder one(place.contents(), unit("one"));
    one.open();
    ex::ResultsFolder other(place.contents(), unit("other"));
    other.open();
    CHECK_THROWS_AS(ex::ResultsFolder(place.contents(), {}).open(), regimen::Error);
  }
  place.put("table.txt", "old");
  place.put("notes.txt", "mine");
  ex::ResultsFolder(place.contents(), {}).open();
  CHECK(place.get("table.txt").empty());
  CHECK(place.get("notes.txt") == "mine");
}

TEST_CASE("results folder: one process at a time holds it whole") {
  const Place place;
  const ex::ResultsFolder first(place.contents(), {});
  CHECK_THROWS_AS(ex::ResultsFolder(place.contents(), {}), regimen::Error);
}
