#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include <regimen/base.hpp>

#include "100-bad-minima/plan.hpp"
#include "support/numbers.hpp"

using kit::Cut;
using regimen::experiment::read_file;
using regimen::experiment::ResultsFolder;
using regimen::experiment::Task;
namespace fs = std::filesystem;

namespace {

/// A folder that a test writes into, and settings that name it.
struct Place {
  Place() {
    fs::remove_all(settings.out);
    settings.seeds = 5;
  }
  ~Place() { fs::remove_all(settings.out); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  void put(const std::string& name, const std::string& content) const {
    const fs::path path = settings.out + "/" + name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << content;
  }
  [[nodiscard]] std::string get(const std::string& name) const { return read_file(settings.out + "/" + name); }

  /// A run that has trained something.
  void run(bool complete, const std::optional<Cut>& cut = {}) const {
    ResultsFolder folder(kit::contents_of(settings, result_names), Task{});
    folder.open(cut ? kit::text_of(*cut) : "");
    put("checkpoints/a.pt", "weights");
    folder.note_complete(complete);
  }

  Settings settings = [] {
    Settings result;
    result.out = "folder-" + std::to_string(::getpid());
    return result;
  }();
};

/// The cut that a plan says, of five seeds.
std::optional<Cut> cut_in(const std::optional<std::string>& plan) {
  Settings settings;
  settings.seeds = 5;
  return plan ? std::optional(kit::cut_of(*plan, kit::whole_of(settings, kit::ImageCounts{}))) : std::nullopt;
}

Task resumed() {
  Task task;
  task.resume = true;
  return task;
}

}  // namespace

TEST_CASE("results folder: what is somebody else's stays, and the error names it") {
  const Place place;
  place.put("checkpoints/weights.pt", "mine");
  CHECK_THROWS_WITH(ResultsFolder(kit::contents_of(place.settings, result_names), Task{}),
                    place.settings.out +
                        "/checkpoints is in the way: no run of this program has written it. Name "
                        "another folder with --out, or move it elsewhere");
  CHECK_THROWS_AS(ResultsFolder(kit::contents_of(place.settings, result_names), resumed()), regimen::Error);
  CHECK(place.get("checkpoints/weights.pt") == "mine");
  fs::remove_all(place.settings.out);
  place.put("settings.json", "{\"editor.fontSize\": 12}");
  place.put("notes.txt", "mine");
  CHECK_THROWS_AS(ResultsFolder(kit::contents_of(place.settings, result_names), Task{}), regimen::Error);
  fs::remove(place.settings.out + "/settings.json");
  place.run(true);
  place.run(true);
  CHECK(place.get("notes.txt") == "mine");
}

TEST_CASE("results folder: a finished run is replaced") {
  const Place place;
  place.run(true);
  place.put("table.txt", "old");
  ResultsFolder folder(kit::contents_of(place.settings, result_names), Task{});
  folder.open();
  CHECK(place.get("table.txt").empty());
  CHECK(place.get("checkpoints/a.pt").empty());
}

TEST_CASE("results folder: an unfinished run is not replaced, and goes on with --resume") {
  const Place place;
  place.run(false);
  CHECK_THROWS_WITH(ResultsFolder(kit::contents_of(place.settings, result_names), Task{}),
                    place.settings.out +
                        " holds an unfinished run with the same settings. Go on with it by --resume, "
                        "name another folder with --out, or remove " +
                        place.settings.out);
  Settings others = place.settings;
  others.paper = true;
  CHECK_THROWS_AS(ResultsFolder(kit::contents_of(others, result_names), Task{}), regimen::Error);
  {
    ResultsFolder folder(kit::contents_of(place.settings, result_names), resumed());
    folder.open(*folder.cut());
  }
  CHECK(place.get("checkpoints/a.pt") == "weights");
  CHECK_THROWS_AS(ResultsFolder(kit::contents_of(others, result_names), resumed()).open(), regimen::Error);
}

TEST_CASE("results folder: a run that was stopped before it trained anything is replaced") {
  const Place place;
  { ResultsFolder(kit::contents_of(place.settings, result_names), Task{}).open(); }
  CHECK_NOTHROW(ResultsFolder(kit::contents_of(place.settings, result_names), Task{}));
}

TEST_CASE("results folder: a resumed run keeps to its plan, and without one to the whole") {
  const Place place;
  const Cut cut{.seeds = 3, .images = 704};
  place.run(false, cut);
  CHECK(cut_in(ResultsFolder(kit::contents_of(place.settings, result_names), resumed()).cut())->seeds == 3);
  CHECK(cut_in(ResultsFolder::peek(kit::contents_of(place.settings, result_names)))->images == 704);
  Settings others = place.settings;
  others.recipe.momentum = 0.8;
  CHECK_FALSE(ResultsFolder::peek(kit::contents_of(others, result_names)));
  fs::remove_all(place.settings.out);
  place.run(false);
  REQUIRE(ResultsFolder(kit::contents_of(place.settings, result_names), resumed()).cut());
  CHECK(cut_in(ResultsFolder(kit::contents_of(place.settings, result_names), resumed()).cut())->seeds == 5);
  CHECK_FALSE(ResultsFolder(kit::contents_of(Place().settings, result_names), resumed()).cut());
}
