#pragma once

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <regimen/lock.hpp>
#include <regimen/manifest.hpp>

#include "files.hpp"
#include "plan.hpp"
#include "settings.hpp"

/// Of settings, all that a result depends on: machines that share a folder may have other paths and processors.
inline std::string text_of(Settings settings) {
  settings.out.clear();
  settings.root.clear();
  settings.workers = 0;
  settings.threads = 0;  // a sum's rounding depends on them, and no more
  return regimen::manifest(settings) + "\n";
}

/// Makes sure that what is in the results folder was made with the same settings.
inline void check_same_settings(const std::string& path, const std::string& settings) {
  const std::string before = read_file(path);
  if (before != settings) {
    throw regimen::Error(path + " was written with other settings:\n" + before + "now:\n" + settings);
  }
}

/// A results folder, held against others. A process that runs the whole experiment holds it alone. One that trains a
/// unit holds it while it looks for settings there, and is known to be there for as long as it lives; so is a worker of
/// a process that holds it.
class ResultsFolder {
 public:
  ResultsFolder(const Settings& settings, const Task& task) : path_(settings.out), task_(task) {
    if (task_.unit.empty()) {
      alone_.emplace(path_ + "/lock");
    } else if (!task_.worker) {
      looking_ = take_patiently(path_ + "/lock");
    }
  }

  /// What the experiment there was cut to, if it is gone on with.
  [[nodiscard]] std::optional<Cut> cut() const {
    const std::string text = goes_on() ? read_file(path_ + "/plan") : "";
    return text.empty() ? std::nullopt : std::optional(cut_from(text));
  }

  /// Starts it anew, or goes on with what is there. `cut`: what a budget has made of the settings.
  void open(const Settings& settings, const std::optional<Cut>& cut) {
    if (!task_.unit.empty()) {
      present_.emplace(path_ + "/locks/process-" + std::to_string(::getpid()) + "-" + task_.unit);
    }
    const std::string text = text_of(settings);
    const std::string path = path_ + "/settings.json";
    if (goes_on() && std::filesystem::exists(path)) {
      check_same_settings(path, text);
    } else {
      if (task_.unit.empty()) {
        clear();
      }
      std::filesystem::create_directories(path_);
      if (cut) {
        write_file(path_ + "/plan", text_of(*cut));
      }
      write_file(path, text);
    }
    looking_.reset();
  }

 private:
  [[nodiscard]] bool goes_on() const { return task_.resume || task_.collect || !task_.unit.empty(); }

  /// Nothing of an earlier run stays: its table beside other settings would be read as theirs.
  void clear() const {
    namespace fs = std::filesystem;
    if (fs::exists(path_ + "/locks")) {
      for (const auto& entry : fs::directory_iterator(path_ + "/locks")) {
        const regimen::Lock nobody(entry.path().string());  // throws where somebody is at work
      }
    }
    for (const char* old :
         {"settings.json", "plan", "locks", "checkpoints", "manifests", "epochs", "seconds", "scores", "pictures",
          "results.csv", "summary.csv", "epochs.csv", "toy.csv", "table.txt", "manifest.json"}) {
      fs::remove_all(path_ + "/" + old);
    }
  }

  /// Others that hold it for a moment are waited for.
  static regimen::Lock take_patiently(const std::string& path) {
    for (int tenths = 0; tenths < 600; ++tenths) {
      if (auto lock = regimen::Lock::try_take(path)) {
        return std::move(*lock);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return regimen::Lock(path);  // throws, and says who is in the way
  }

  std::string path_;
  const Task& task_;
  std::optional<regimen::Lock> alone_;
  std::optional<regimen::Lock> looking_;
  std::optional<regimen::Lock> present_;
};
