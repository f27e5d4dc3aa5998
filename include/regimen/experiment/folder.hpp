#pragma once
// No LibTorch.

#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "regimen/base/lock.hpp"
#include "regimen/experiment/errors.hpp"
#include "regimen/experiment/files.hpp"
#include "regimen/experiment/settings_file.hpp"
#include "regimen/experiment/task.hpp"

namespace regimen::inline v0::experiment {

/// The settings and files that a program keeps in its results folder.
struct FolderContents {
  std::string path;        ///< path of the folder
  std::string defaults{};  ///< text of the default settings, for fields that an older file lacks; empty: none

  /// The text of this run's settings after a cut is applied. `cut`: the content of the folder's file "plan", which says
  /// how a budget reduced the experiment; empty for the whole of it. The struct's name in the text distinguishes the
  /// program's settings.json from others. Throws Error for a text that is no cut.
  std::function<std::string(const std::string& cut)> settings;

  /// Names of further files and folders that the program writes into the folder.
  std::vector<std::string> results{};
};

/// A results folder, locked against other processes. A process that runs the whole experiment, or collects its results,
/// keeps the folder's lock. A process that trains one unit releases it once `open` has compared the settings, and from
/// then on holds a lock of its own. A worker relies on its parent's lock.
class ResultsFolder {
 public:
  /// Throws Busy if another process holds the folder, and UsageError if files of other origin lie where results would
  /// go, or if a new run would remove an unfinished one.
  ResultsFolder(FolderContents contents, Task task) : contents_(std::move(contents)), task_(std::move(task)) {
    if (task_.unit.empty() && !task_.collect) {
      alone_ = Lock::try_take(in("lock"));
      if (!alone_) {
        held(in("lock"));
      }
    } else if (!task_.worker) {
      looking_ = take_patiently(in("lock"));
    }
    if (!is_ours()) {
      check_foreign();
    } else if (!goes_on()) {
      check_unfinished();
    }
  }

  /// The cut of a resumed run, empty for the whole experiment; nullopt for a new run.
  [[nodiscard]] std::optional<std::string> cut() const {
    return goes_on() && is_ours() ? std::optional(read_file(in("plan"))) : std::nullopt;
  }

  /// The plan of a folder that holds these settings, read without a lock; nullopt for any other folder.
  [[nodiscard]] static std::optional<std::string> peek(const FolderContents& contents) {
    return holds_these(contents) ? std::optional(read_file(contents.path + "/plan")) : std::nullopt;
  }

  /// Throws UsageError if the folder holds a run of this program with other settings.
  static void check_settings(const FolderContents& contents) {
    const std::string path = contents.path + "/settings.json";
    if (is_settings_text(read_file(path), settings_type(contents.settings("")))) {
      check_same_settings(path, contents.settings(read_file(contents.path + "/plan")), contents.defaults);
    }
  }

  /// Clears the folder for a new run, or resumes its run. `cut`: how the experiment is reduced, empty for the whole of
  /// it. Throws UsageError if the folder has other settings.
  void open(const std::string& cut = "") {
    if (!task_.unit.empty()) {
      // Processes of several machines may have one number.
      std::array<char, 256> host{};
      ::gethostname(host.data(), host.size() - 1);
      present_.emplace(in("locks/process-" + std::string(host.data()) + "-" + std::to_string(::getpid()) + "-" +
                          task_.unit.substr(0, 60)));
    }
    const std::string text = contents_.settings(cut);
    if (goes_on() && is_ours()) {
      check_same_settings(in("settings.json"), text, contents_.defaults);
    } else {
      if (task_.unit.empty()) {
        clear();
      }
      if (!cut.empty()) {
        write_file(in("plan"), cut);
      }
      write_file(in("settings.json"), text);
    }
    looking_.reset();
  }

  /// Records whether every unit is complete; if so, a new run may replace the results.
  void note_complete(bool complete) const {
    if (complete) {
      write_file(in("complete"), "Every unit of settings.json is trained. A new run replaces these results.\n");
    } else {
      std::filesystem::remove(in("complete"));
    }
  }

 private:
  [[nodiscard]] std::string in(const std::string& name) const { return contents_.path + "/" + name; }

  [[nodiscard]] bool goes_on() const { return task_.resume || task_.collect || !task_.unit.empty(); }

  [[nodiscard]] bool is_ours() const {
    return is_settings_text(read_file(in("settings.json")), settings_type(contents_.settings("")));
  }

  /// Names of all that a run writes, besides settings.json and locks. "complete" is last: if the program dies while it
  /// removes these files, a run without checkpoints does not look unfinished.
  [[nodiscard]] std::vector<std::string> result_names() const {
    std::vector<std::string> names{"checkpoints", "plan",   "manifests",     "epochs",      "seconds",
                                   "done",        "scores", "manifest.json", "results.csv", "epochs.csv"};
    names.insert(names.end(), contents_.results.begin(), contents_.results.end());
    names.emplace_back("complete");
    return names;
  }

  /// Takes a lock; waits up to a minute for processes that hold it briefly.
  static Lock take_patiently(const std::string& path) {
    for (int tenths = 0; tenths < 600; ++tenths) {
      if (auto lock = Lock::try_take(path)) {
        return std::move(*lock);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    held(path);
  }

  [[noreturn]] static void held(const std::string& path) {
    throw Busy("another run holds " + path + ": two would overwrite each other's files");
  }

  static bool holds_these(const FolderContents& contents) {
    const std::string there = read_file(contents.path + "/settings.json");
    return is_settings_text(there, settings_type(contents.settings(""))) &&
           differences(there, contents.settings(read_file(contents.path + "/plan")), contents.defaults).empty();
  }

  [[nodiscard]] bool is_plan(const std::string& path) const {
    try {
      (void)contents_.settings(read_file(path));
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  /// Whether something of this name is there that a run may have written. An empty folder is not: a scheduler makes
  /// those of its outputs. And a run that was killed right after its start has left only a plan.
  [[nodiscard]] bool holds_results(const std::string& name) const {
    const std::string path = in(name);
    return std::filesystem::exists(path) && !(std::filesystem::is_directory(path) && std::filesystem::is_empty(path)) &&
           !(name == "plan" && is_plan(path));
  }

  /// Throws UsageError if results would overwrite files that no run of this program wrote.
  void check_foreign() const {
    std::string foreign = std::filesystem::exists(in("settings.json")) ? in("settings.json") : "";
    for (const std::string& name : result_names()) {
      if (foreign.empty() && holds_results(name)) {
        foreign = in(name);
      }
    }
    if (!foreign.empty()) {
      throw UsageError(foreign +
                       " is in the way: no run of this program has written it. Name another folder with "
                       "--out, or move it elsewhere");
    }
  }

  /// Throws UsageError if a new run would remove an unfinished one, which may have cost days.
  void check_unfinished() const {
    const std::string checkpoints = in("checkpoints");
    const bool trained = std::filesystem::exists(checkpoints) && !std::filesystem::is_empty(checkpoints);
    if (!trained || std::filesystem::exists(in("complete"))) {
      return;
    }
    const bool same = holds_these(contents_);
    throw UsageError(contents_.path + " holds an unfinished run with " + (same ? "the same" : "other") + " settings. " +
                     (same ? "Go on with it by --resume" : "Finish it with its own options and --resume") +
                     ", name another folder with --out, or remove " + contents_.path);
  }

  /// Removes all files of an earlier run: its tables would be taken for those of the new settings.
  void clear() const {
    if (std::filesystem::exists(in("locks"))) {
      for (const auto& entry : std::filesystem::directory_iterator(in("locks"))) {
        if (!Lock::try_take(entry.path().string())) {
          held(entry.path().string());
        }
      }
    }
    if (!is_ours()) {
      return;  // check_foreign has found no results either
    }
    for (const std::string& name : result_names()) {
      std::filesystem::remove_all(in(name));
    }
    std::filesystem::remove_all(in("locks"));
    std::filesystem::remove(in("settings.json"));
  }

  FolderContents contents_;
  Task task_;
  std::optional<Lock> alone_{};
  std::optional<Lock> looking_{};
  std::optional<Lock> present_{};
};

}  // namespace regimen::inline v0::experiment
