#pragma once

#include <torch/torch.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <regimen/regimen.hpp>

#include "files.hpp"
#include "settings.hpp"

namespace rg = regimen;

/// Set by the signal handler in main.cpp.
extern volatile std::sig_atomic_t interrupted;

/// Thrown when the user stopped the program; everything is on disk.
struct Interrupted : std::runtime_error {
  Interrupted() : std::runtime_error("interrupted; go on with --resume") {}
};

/// Where a job leaves what it is made of, and where it can be gone on with.
inline std::string manifest_of(const Settings& settings, const std::string& job) {
  return settings.out + "/manifests/" + job + ".json";
}
inline std::string checkpoint_of(const Settings& settings, const std::string& job) {
  return settings.out + "/checkpoints/" + job + ".pt";
}

/// The history of a job that has come to its end, whoever trained it; none while it has not.
inline std::optional<rg::History> history_of(const Settings& settings, const std::string& job) {
  const std::string path = checkpoint_of(settings, job);
  if (!std::filesystem::exists(path)) {
    return std::nullopt;
  }
  const rg::State state = rg::load_checkpoint(path);
  const rg::Ended ended = state.history.ended();
  return ended == rg::Ended::running || ended == rg::Ended::stopped ? std::nullopt : std::optional(state.history);
}

/// manifest.json: the settings, and the manifests of these jobs, as they left them.
inline void write_manifest(const std::vector<std::string>& jobs, const Settings& settings) {
  std::string text = "{\"settings\": " + rg::manifest(settings) + ",\n \"jobs\": {";
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    text += (i == 0 ? "\n" : ",\n") + ("  \"" + jobs[i] + "\": " + read_file(manifest_of(settings, jobs[i])));
  }
  write_file(settings.out + "/manifest.json", text + "\n}}\n");
}

/// A regimen::Progress that may be switched off.
struct Narrator {
  std::optional<rg::Progress> progress;

  template <class Event>
    requires std::is_invocable_v<rg::Progress&, const Event&>
  void operator()(const Event& event) {
    if (progress) {
      (*progress)(event);
    }
  }
};

/// Runs one training after another, each with a checkpoint and logs under its own name, so that a killed program goes
/// on where it was. A job is a function of the settings alone: done again from its checkpoint, it ends the same.
class Jobs {
 public:
  /// `work`: what all jobs together are expected to cost, in any unit, for the time left.
  Jobs(const Settings& settings, const Task& task, int count, double work)
      : settings_(settings), task_(task), count_(count), work_left_(work) {}

  template <class Net>
  rg::History run(const std::string& name, Net& net, torch::optim::SGD& optimizer, const rg::Phase& phase,
                  const rg::Splits& splits, double expected_work) {
    const auto began = WallClock::now();
    const std::string checkpoint = checkpoint_of(settings_, name);
    std::stop_source stop;
    rg::RunOptions options{.stop = stop.get_token()};
    if (task_.resume && std::filesystem::exists(checkpoint)) {
      options.from = rg::load_checkpoint(checkpoint, net, optimizer);
    }
    const auto keep_manifest = [&](const rg::RunBegin& begin) {
      std::filesystem::create_directories(settings_.out + "/manifests");
      write_file(manifest_of(settings_, name), begin.manifest());
    };
    const auto heed_signals = [&](const rg::Step&) {
      if (interrupted != 0) {
        stop.request_stop();
      }
    };
    rg::Checkpoint checkpoints(checkpoint, {.seconds = 15}, net, optimizer);
    Narrator narrator;
    if (!task_.quiet) {
      narrator.progress.emplace(label(name));
    }
    const bool anew = options.from.history.empty();
    const rg::History history = rg::run(net, {phase}, splits, options, keep_manifest, heed_signals, narrator,
                                        rg::CsvLog(settings_.out + "/epochs/" + name + ".csv"),
                                        rg::TimeLog(settings_.out + "/seconds/" + name + ".csv"), checkpoints);
    if (history.ended() == rg::Ended::stopped) {
      throw Interrupted();
    }
    pass(expected_work);
    // What an earlier start of the program has done says nothing about the pace of this one.
    if (anew) {
      work_timed_ += expected_work;
      seconds_timed_ += std::chrono::duration<double>(WallClock::now() - began).count();
    }
    return history;
  }

  /// Leaves out a job that was done before.
  void pass(double expected_work) {
    ++done_;
    work_left_ -= expected_work;
  }

 private:
  using WallClock = std::chrono::steady_clock;

  /// "[3/15, about 7 min left] ": from the pace so far, and from the second job on.
  [[nodiscard]] std::string label(const std::string& name) const {
    std::string text = "[" + std::to_string(done_ + 1) + "/" + std::to_string(count_);
    if (work_timed_ > 0) {
      const double left = seconds_timed_ / work_timed_ * work_left_;
      text += ", about " + std::to_string(static_cast<int>(left / 60 + 0.99)) + " min left";
    }
    return text + "] " + name + " ";
  }

  const Settings& settings_;
  const Task& task_;
  int count_;
  double work_left_;
  int done_ = 0;
  double work_timed_ = 0;
  double seconds_timed_ = 0;
};
