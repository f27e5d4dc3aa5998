#pragma once

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <regimen/experiment/job_line.hpp>
#include <regimen/experiment/signals.hpp>
#include <regimen/experiment/time_left.hpp>
#include <regimen/regimen.hpp>

#include "files.hpp"
#include "settings.hpp"

namespace rg = regimen;

using regimen::experiment::Chain;
using regimen::experiment::Interrupted;
using regimen::experiment::JobLine;
using regimen::experiment::TimeLeft;

/// Where a job leaves what it is made of, and where it can be gone on with.
inline std::string manifest_of(const Settings& settings, const std::string& job) {
  return settings.out + "/manifests/" + job + ".json";
}
inline std::string checkpoint_of(const Settings& settings, const std::string& job) {
  return settings.out + "/checkpoints/" + job + ".pt";
}

/// Where a job that diverged leaves its history: its checkpoint keeps the last weights that were finite.
inline std::string divergence_of(const Settings& settings, const std::string& job) {
  return settings.out + "/checkpoints/" + job + ".diverged";
}

/// The history of a job that is at its end, whichever process trained it; none for any other.
inline std::optional<rg::History> history_of(const Settings& settings, const std::string& job) {
  const std::string diverged = divergence_of(settings, job);
  const std::string path = std::filesystem::exists(diverged) ? diverged : checkpoint_of(settings, job);
  if (!std::filesystem::exists(path)) {
    return std::nullopt;
  }
  const rg::State state = rg::load_checkpoint(path);
  const rg::Ended ended = state.history.ended();
  return ended == rg::Ended::running || ended == rg::Ended::stopped ? std::nullopt : std::optional(state.history);
}

/// The score of a job's network on the whole test set, where it was taken at its end.
inline std::string test_score_of(const Settings& settings, const std::string& job) {
  return settings.out + "/scores/" + job + ".csv";
}

inline void write_test_score(const std::string& path, const rg::Score& score) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  write_file(path, "test_accuracy,test_loss,test_samples\n" + rg::detail::text(score.accuracy) + "," +
                       rg::detail::text(score.loss) + "," + std::to_string(score.samples) + "\n");
}

/// The score in such a file; none without the file. The loss of a network that diverged is NaN, "-nan" in the file.
inline std::optional<rg::Score> read_test_score(const std::string& path) {
  std::istringstream text(read_file(path));
  std::string header;
  std::string accuracy;
  std::string loss;
  rg::Score score;
  if (!std::getline(text, header) || !std::getline(text, accuracy, ',') || !std::getline(text, loss, ',') ||
      !(text >> score.samples)) {
    return std::nullopt;
  }
  score.accuracy = std::strtod(accuracy.c_str(), nullptr);  // a stream's >> does not read NaN
  score.loss = std::strtod(loss.c_str(), nullptr);
  return score;
}

/// manifest.json: the settings, and the manifests of these jobs, as they left them.
inline void write_manifest(const std::vector<std::string>& jobs, const Settings& settings) {
  std::string text = "{\"settings\": " + rg::manifest(settings) + ",\n \"jobs\": {";
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    text += (i == 0 ? "\n" : ",\n") + ("  \"" + jobs[i] + "\": " + read_file(manifest_of(settings, jobs[i])));
  }
  write_file(settings.out + "/manifest.json", text + "\n}}\n");
}

inline bool all_finite(const std::vector<torch::Tensor>& weights) {
  return std::all_of(weights.begin(), weights.end(),
                     [](const torch::Tensor& each) { return torch::isfinite(each).all().item<bool>(); });
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
  Jobs(const Settings& settings, const Task& task, TimeLeft time_left)
      : settings_(settings), task_(task), time_left_(std::move(time_left)) {}

  /// `at_end`: what else belongs to the job, done when the network is trained; done again if it was interrupted.
  template <class Net>
  rg::History run(
      const std::string& name, Net& net, torch::optim::SGD& optimizer, const rg::Phase& phase, const rg::Splits& splits,
      const std::function<void()>& at_end = [] {}) {
    const std::string checkpoint = checkpoint_of(settings_, name);
    rg::RunOptions options{.stop = task_.stop};
    if (task_.resume && std::filesystem::exists(checkpoint)) {
      options.from = rg::load_checkpoint(checkpoint, net, optimizer);
    }
    const auto keep_manifest = [&](const rg::RunBegin& begin) {
      std::filesystem::create_directories(settings_.out + "/manifests");
      write_file(manifest_of(settings_, name), begin.manifest());
    };
    rg::Checkpoint checkpoints(checkpoint, {.seconds = 15}, net, optimizer);
    Narrator narrator = begin(name, options.from.history.empty());
    const rg::History history = rg::run(net, {phase}, splits, options, keep_manifest, narrator,
                                        rg::CsvLog(settings_.out + "/epochs/" + name + ".csv"),
                                        rg::TimeLog(settings_.out + "/seconds/" + name + ".csv"), checkpoints);
    if (history.ended() == rg::Ended::stopped) {
      throw Interrupted();
    }
    if (history.ended() == rg::Ended::diverged || !all_finite(net->parameters())) {
      rg::save_checkpoint(divergence_of(settings_, name), rg::State{.history = history});
    }
    at_end();
    end(name);
    return history;
  }

  /// Leaves out a job that was done before.
  void skip(const std::string& name) { time_left_.skip(name); }

 private:
  using WallClock = std::chrono::steady_clock;

  Narrator begin(const std::string& name, bool anew) {
    Narrator narrator;
    if (task_.worker) {
      JobLine{anew ? JobLine::What::begins : JobLine::What::goes_on, name}.print();
    } else if (!task_.quiet) {
      narrator.progress.emplace("[" + std::to_string(time_left_.done() + 1) + "/" + std::to_string(time_left_.count()) +
                                time_left_text(time_left_, now()) + "] " + name + " ");
    }
    time_left_.begin(name, now(), anew);
    return narrator;
  }

  void end(const std::string& name) {
    time_left_.end(name, now());
    if (task_.worker) {
      JobLine{JobLine::What::ends, name}.print();
    }
  }

  [[nodiscard]] double now() const { return std::chrono::duration<double>(WallClock::now() - began_).count(); }

  const Settings& settings_;
  const Task& task_;
  TimeLeft time_left_;
  WallClock::time_point began_ = WallClock::now();
};
