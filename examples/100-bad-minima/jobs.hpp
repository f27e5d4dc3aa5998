#pragma once

#include <torch/torch.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>

#include <regimen/regimen.hpp>

#include "settings.hpp"

namespace rg = regimen;

/// Set by the signal handler in main.cpp.
extern volatile std::sig_atomic_t interrupted;

/// Thrown when the user stopped the program; everything is on disk.
struct Interrupted : std::runtime_error {
  Interrupted() : std::runtime_error("interrupted; go on with --resume") {}
};

/// One training of the experiment, as it ended.
struct Job {
  std::string name;
  rg::History history;
  std::string manifest;  ///< JSON
};

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
  /// `samples`: how many images (or points) all jobs together are expected to train on, for the time left.
  Jobs(const Settings& settings, int count, double samples) : settings_(settings), count_(count), samples_(samples) {}

  template <class Net>
  Job run(const std::string& name, Net& net, torch::optim::Optimizer& optimizer, const rg::Phase& phase,
          const rg::Splits& splits, double expected_samples) {
    const std::string checkpoint = settings_.out + "/checkpoints/" + name + ".pt";
    std::stop_source stop;
    rg::RunOptions options{.stop = stop.get_token()};
    if (settings_.resume && std::filesystem::exists(checkpoint)) {
      options.from = rg::load_checkpoint(checkpoint, net, optimizer);
    }
    Job job{name, {}, {}};
    const auto keep_manifest = [&](const rg::RunBegin& begin) { job.manifest = begin.manifest(); };
    const auto heed_signals = [&](const rg::Step&) {
      if (interrupted != 0) {
        stop.request_stop();
      }
    };
    rg::Checkpoint checkpoints(checkpoint, {.seconds = 15}, net, optimizer);
    Narrator narrator;
    if (!settings_.quiet) {
      narrator.progress.emplace(label(name));
    }
    job.history = rg::run(net, {phase}, splits, options, keep_manifest, heed_signals, narrator,
                          rg::CsvLog(settings_.out + "/epochs/" + name + ".csv"),
                          rg::TimeLog(settings_.out + "/seconds/" + name + ".csv"), checkpoints);
    if (job.history.ended() == rg::Ended::stopped) {
      throw Interrupted();
    }
    ++done_;
    samples_done_ += expected_samples;
    return job;
  }

 private:
  using WallClock = std::chrono::steady_clock;

  /// "[3/15, about 7 min left] ": from the pace so far, and from the second job on.
  std::string label(const std::string& name) const {
    std::string text = "[" + std::to_string(done_ + 1) + "/" + std::to_string(count_);
    if (samples_done_ > 0) {
      const double elapsed = std::chrono::duration<double>(WallClock::now() - began_).count();
      const double left = elapsed * (samples_ - samples_done_) / samples_done_;
      text += ", about " + std::to_string(static_cast<int>(left / 60 + 0.99)) + " min left";
    }
    return text + "] " + name + ": ";
  }

  const Settings& settings_;
  int count_;
  double samples_;
  int done_ = 0;
  double samples_done_ = 0;
  WallClock::time_point began_ = WallClock::now();
};
