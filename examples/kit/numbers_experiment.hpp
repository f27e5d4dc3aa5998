#pragma once

#include <torch/torch.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <regimen/base/version.hpp>
#include <regimen/experiment.hpp>
#include <regimen/tensor/libtorch.hpp>

#include "options.hpp"
#include "workers.hpp"

namespace kit {

/// An experiment that needs no data from disk, of jobs that compute numbers or train small networks. Its settings have
/// the members `out`, `workers` and `threads` (settled), on which no result depends. A program adds `plan`, `train` and
/// `show`.
template <class Settings>
class NumbersExperiment : public regimen::experiment::Experiment {
 public:
  /// `results`: the files that the program writes besides those of every experiment.
  NumbersExperiment(Settings settings, std::vector<std::string> results)
      : settings_(std::move(settings)), results_(std::move(results)) {
    results_.emplace_back("report.html");
  }

  [[nodiscard]] regimen::experiment::FolderContents contents() const override {
    return {.path = settings_.out,
            .defaults = text_of(Settings{}),
            .settings = [settings = settings_](const std::string& /*cut*/) { return text_of(settings); },
            .results = results_};
  }

  void load() override {}

 protected:
  [[nodiscard]] const Settings& settings() const { return settings_; }

 private:
  static std::string text_of(Settings settings) {
    settings.out.clear();
    settings.workers = 0;
    settings.threads = 0;  // a sum's rounding depends on them, and nothing else
    return regimen::experiment::settings_text(settings);
  }

  Settings settings_;
  std::vector<std::string> results_;
};

/// --out, --workers and --threads.
template <class Settings>
void add_numbers(CLI::App& app, Settings& s) {
  app.add_option("--out", s.out, "folder of the results")->capture_default_str();
  app.add_option("--workers", s.workers,
                 "processes side by side, each with a unit of its own (default: one a processor)")
      ->check(at_least_1());
  app.add_option("--threads", s.threads, "CPU threads of each (default: 1); more than 1 means fewer workers")
      ->check(at_least_1());
}

/// Settles workers and threads for a program of so many units, has LibTorch take its threads, and says so in a line.
template <class Settings>
regimen::experiment::Conduct settle(Settings& s, int units, const regimen::experiment::Task& task) {
  settle_workers(s.workers, s.threads, units_here(task, units), /*one_process=*/false, /*all_threads=*/false,
                 regimen::experiment::processors());
  torch::set_num_threads(s.threads);
  if (!task.lists() && !task.worker) {
    std::printf("regimen %s, LibTorch %s, %d worker%s of %d thread%s, %d units\n", regimen::version,
                regimen::libtorch_version, s.workers, s.workers == 1 ? "" : "s", s.threads, s.threads == 1 ? "" : "s",
                units);
  }
  return {.workers = s.workers, .threads = s.threads};
}

}  // namespace kit
