#pragma once

#include <string>

#include "regimen/experiment/cost.hpp"
#include "regimen/experiment/errors.hpp"
#include "regimen/experiment/files.hpp"
#include "regimen/experiment/folder.hpp"
#include "regimen/experiment/job.hpp"
#include "regimen/experiment/plan.hpp"
#include "regimen/experiment/results.hpp"

namespace regimen::inline v0::experiment {

/// An experiment of many trainings, as `conduct` takes it: its units, and how one unit is trained. A unit's results may
/// depend only on the settings and its name.
class Experiment {
 public:
  Experiment() = default;
  Experiment(const Experiment&) = delete;
  Experiment& operator=(const Experiment&) = delete;
  virtual ~Experiment() = default;

  /// The contents of the results folder, with the settings of the command line.
  [[nodiscard]] virtual FolderContents contents() const = 0;

  /// Reads the data and checks all input, before anything is written.
  virtual void load() = 0;

  /// All units, with the expected costs of their jobs by `cost`: in seconds, or in images if `paces` is empty. Before
  /// `load`, only the units' names have to be right.
  [[nodiscard]] virtual Plan plan(const Paces& paces) const = 0;

  /// Trains all jobs of a unit. Finished jobs are run, too: they resume from their ends.
  virtual void train(const std::string& unit, Jobs& jobs) = 0;

  /// Makes tables and pictures of the finished jobs. results.csv, epochs.csv and manifest.json are already written
  /// (`write_result_files`).
  virtual void show(const Results& results) = 0;

  /// The settings for manifest.json, as JSON.
  [[nodiscard]] virtual std::string manifest() const {
    const FolderContents folder = contents();
    return folder.settings(read_file(folder.path + "/plan"));
  }

  /// Called once the results folder is open and before anything is trained.
  virtual void begin() {}

  /// The pace of this process in training and scoring, by network.
  virtual Paces measure_pace() { return {}; }

  /// Reduces the experiment to a cut: the content of the folder's file "plan", or the cut of `fit_to_budget`.
  virtual void keep_to(const std::string& /*cut*/) {}

  /// A smaller experiment: the text of its cut, and a sentence about it for the terminal.
  struct Sized {
    std::string cut{};
    std::string sentence{};
  };

  /// The largest experiment that fits the task's budget, of which `passed` seconds are over. Throws UsageError if
  /// there is none.
  virtual Sized fit_to_budget(double /*passed*/, const Paces& /*paces*/) {
    throw UsageError("--budget: this experiment cannot be made smaller");
  }

  /// A sentence about the plan that a resumed run keeps to; empty for the whole experiment.
  [[nodiscard]] virtual std::string planned_before() const { return ""; }
};

}  // namespace regimen::inline v0::experiment
