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

/// "seed1-random-all_three": a job's name, which its files bear.
inline std::string job_name(std::uint64_t seed, const std::string& what) {
  std::string name = "seed" + std::to_string(seed) + "-" + what;
  for (char& c : name) {
    c = c == ' ' || c == ',' || c == '+' ? '_' : c;
  }
  return name;
}

/// One training of the experiment, as it ended.
struct Job {
  std::string name;
  rg::History history;
  std::string manifest;  ///< JSON
};

/// manifest.json: the settings, and every job's own manifest.
inline void write_manifest(const std::vector<Job>& jobs, const Settings& settings) {
  std::string text = "{\"settings\": " + rg::manifest(settings) + ",\n \"jobs\": {";
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    text += (i == 0 ? "\n" : ",\n") + ("  \"" + jobs[i].name + "\": " + jobs[i].manifest);
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
  /// `samples`: how many images (or points) all jobs together are expected to train on, for the time left.
  Jobs(const Settings& settings, int count, double samples)
      : settings_(settings), count_(count), samples_left_(samples) {}

  template <class Net>
  Job run(const std::string& name, Net& net, torch::optim::Optimizer& optimizer, const rg::Phase& phase,
          const rg::Splits& splits, double expected_samples) {
    const auto began = WallClock::now();
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
    const bool anew = options.from.history.empty();
    job.history = rg::run(net, {phase}, splits, options, keep_manifest, heed_signals, narrator,
                          rg::CsvLog(settings_.out + "/epochs/" + name + ".csv"),
                          rg::TimeLog(settings_.out + "/seconds/" + name + ".csv"), checkpoints);
    if (job.history.ended() == rg::Ended::stopped) {
      throw Interrupted();
    }
    ++done_;
    samples_left_ -= expected_samples;
    // What an earlier start of the program has done says nothing about the pace of this one.
    if (anew) {
      samples_timed_ += expected_samples;
      seconds_timed_ += std::chrono::duration<double>(WallClock::now() - began).count();
    }
    return job;
  }

 private:
  using WallClock = std::chrono::steady_clock;

  /// "[3/15, about 7 min left] ": from the pace so far, and from the second job on.
  std::string label(const std::string& name) const {
    std::string text = "[" + std::to_string(done_ + 1) + "/" + std::to_string(count_);
    if (samples_timed_ > 0) {
      const double left = seconds_timed_ / samples_timed_ * samples_left_;
      text += ", about " + std::to_string(static_cast<int>(left / 60 + 0.99)) + " min left";
    }
    return text + "] " + name + " ";
  }

  const Settings& settings_;
  int count_;
  double samples_left_;
  int done_ = 0;
  double samples_timed_ = 0;
  double seconds_timed_ = 0;
};
