#include "results_folder.hpp"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>

#include "files.hpp"
#include "settings_text.hpp"

namespace fs = std::filesystem;

namespace {

/// What a run writes into its folder, besides settings.json and its locks. "complete" is the last: if the program dies
/// while it removes them, a run that has lost checkpoints does not look unfinished.
constexpr const char* result_names[] = {"checkpoints", "plan",      "manifests",     "epochs",      "seconds",
                                        "scores",      "pictures",  "results.csv",   "summary.csv", "epochs.csv",
                                        "toy.csv",     "table.txt", "manifest.json", "complete"};

/// Waits up to a minute for others that hold it for a moment.
regimen::Lock take_patiently(const std::string& path) {
  for (int tenths = 0; tenths < 600; ++tenths) {
    if (auto lock = regimen::Lock::try_take(path)) {
      return std::move(*lock);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return regimen::Lock(path);  // throws, and says who is in the way
}

bool is_plan(const std::string& path) {
  try {
    (void)cut_from(read_file(path));
    return true;
  } catch (const regimen::Error&) {
    return false;
  }
}

/// The whole experiment if there is no plan.
Cut cut_in(const std::string& folder, const Settings& settings) {
  const std::string text = read_file(folder + "/plan");
  return text.empty() ? Cut{.seeds = settings.seeds, .images = settings.recipe.images} : cut_from(text);
}

bool holds_these(const std::string& folder, const Settings& settings) {
  const std::string there = read_file(folder + "/settings.json");
  return is_settings_text(there) && there == text_of(applied(cut_in(folder, settings), settings));
}

}  // namespace

std::optional<Cut> planned_cut(const Settings& settings) {
  return holds_these(settings.out, settings) ? std::optional(cut_in(settings.out, settings)) : std::nullopt;
}

ResultsFolder::ResultsFolder(const Settings& settings, const Task& task) : path_(settings.out), task_(task) {
  if (task_.unit.empty() && !task_.collect) {
    alone_.emplace(path_ + "/lock");
  } else if (!task_.worker) {
    looking_ = take_patiently(path_ + "/lock");
  }
  if (!is_ours()) {
    check_foreign();
  } else if (!goes_on()) {
    check_unfinished(settings);
  }
}

bool ResultsFolder::goes_on() const {
  return task_.resume || task_.collect || !task_.unit.empty();
}

bool ResultsFolder::is_ours() const {
  return is_settings_text(read_file(path_ + "/settings.json"));
}

std::optional<Cut> ResultsFolder::cut(const Settings& settings) const {
  return goes_on() && is_ours() ? std::optional(cut_in(path_, settings)) : std::nullopt;
}

void ResultsFolder::open(const Settings& settings, const std::optional<Cut>& cut) {
  if (!task_.unit.empty()) {
    present_.emplace(path_ + "/locks/process-" + std::to_string(::getpid()) + "-" + task_.unit);
  }
  const std::string text = text_of(settings);
  const std::string path = path_ + "/settings.json";
  if (goes_on() && is_ours()) {
    check_same_settings(path, text);
  } else {
    if (task_.unit.empty()) {
      clear();
    }
    fs::create_directories(path_);
    if (cut) {
      write_file(path_ + "/plan", text_of(*cut));
    }
    write_file(path, text);
  }
  looking_.reset();
}

void ResultsFolder::note_complete(bool complete) const {
  const std::string path = path_ + "/complete";
  if (complete) {
    write_file(path, "Every unit of settings.json is trained. A new run replaces these results.\n");
  } else {
    fs::remove(path);
  }
}

/// Results would overwrite files of the same names that no run has written.
void ResultsFolder::check_foreign() const {
  const std::string settings = path_ + "/settings.json";
  std::string foreign = fs::exists(settings) ? settings : "";
  for (const std::string name : result_names) {
    const std::string path = path_ + "/" + name;
    // A run that was killed within a moment of its start has left a plan alone.
    if (foreign.empty() && fs::exists(path) && !(name == "plan" && is_plan(path))) {
      foreign = path;
    }
  }
  if (!foreign.empty()) {
    throw regimen::Error(foreign +
                         " is in the way: no run of this program has written it. Name another folder with "
                         "--out, or move it elsewhere");
  }
}

/// An interrupted run, or units that are still to be collected, may have cost days.
void ResultsFolder::check_unfinished(const Settings& settings) const {
  const bool trained = fs::exists(path_ + "/checkpoints") && !fs::is_empty(path_ + "/checkpoints");
  if (!trained || fs::exists(path_ + "/complete")) {
    return;
  }
  const bool same = holds_these(path_, settings);
  throw regimen::Error(path_ + " holds an unfinished run with " + (same ? "the same" : "other") + " settings. " +
                       (same ? "Go on with it by --resume" : "Finish it with its own options and --resume") +
                       ", name another folder with --out, or remove " + path_);
}

/// Nothing of an earlier run stays: its table beside other settings would be read as theirs.
void ResultsFolder::clear() const {
  if (fs::exists(path_ + "/locks")) {
    for (const auto& entry : fs::directory_iterator(path_ + "/locks")) {
      const regimen::Lock nobody(entry.path().string());  // throws where somebody is at work
    }
  }
  if (!is_ours()) {
    return;  // check_foreign has found nothing of ours either
  }
  for (const char* const name : result_names) {
    fs::remove_all(path_ + "/" + name);
  }
  fs::remove_all(path_ + "/locks");
  fs::remove(path_ + "/settings.json");
}
