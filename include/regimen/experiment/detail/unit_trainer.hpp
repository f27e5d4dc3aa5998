#pragma once

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "regimen/base/lock.hpp"
#include "regimen/experiment/concept.hpp"
#include "regimen/experiment/done_file.hpp"
#include "regimen/experiment/job.hpp"
#include "regimen/experiment/job_files.hpp"
#include "regimen/experiment/plan.hpp"
#include "regimen/experiment/read_results.hpp"
#include "regimen/experiment/task.hpp"

namespace regimen::inline v0::experiment::detail {

/// Trains units in this process, each under its lock, and writes their `DoneFile`s.
class UnitTrainer {
 public:
  UnitTrainer(Experiment& experiment, const Task& task, std::string folder)
      : experiment_(experiment), task_(task), folder_(std::move(folder)) {}

  [[nodiscard]] bool is_finished(const ExpectedJob& job) const { return read_result(folder_, job).has_value(); }

  /// Writes the `DoneFile` of a unit whose jobs are all finished, if it lacks one that holds: its process was killed in
  /// between, an older program has trained it, or somebody has changed a file.
  void note_if_done(const Unit& unit) const {
    const DoneFile done(folder_, unit.name);
    if (!done.holds() && is_complete(unit)) {
      if (const std::optional<Lock> mine = Lock::try_take(lock_of(unit))) {
        done.write(files_of(unit));
      }
    }
  }

  /// Trains a unit; false if another process works on it.
  bool train(const Unit& unit, Jobs& jobs) {
    const std::optional<Lock> mine = take_lock_of(unit);
    if (!mine) {
      return false;
    }
    const bool complete = task_.resume && is_complete(unit);
    if (complete) {
      for (const ExpectedJob& job : unit.jobs) {
        jobs.skip(job.name);
      }
    } else {
      experiment_.train(unit.name, jobs);
      check_trained(unit);
    }
    const DoneFile done(folder_, unit.name);
    if (!complete || !done.holds()) {
      done.write(files_of(unit));
    }
    return true;
  }

 private:
  [[nodiscard]] bool is_complete(const Unit& unit) const {
    const auto finished = [&](const ExpectedJob& job) { return is_finished(job); };
    return std::all_of(unit.jobs.begin(), unit.jobs.end(), finished) && !is_unfinished_together(unit);
  }

  /// Whether a common training of several jobs (`Jobs::run_together`) has begun, and is not at its end. Throws Error
  /// for a damaged file.
  [[nodiscard]] bool is_unfinished_together(const Unit& unit) const {
    const JobFiles together{folder_, unit.name};
    const bool is_job =
        std::any_of(unit.jobs.begin(), unit.jobs.end(), [&](const ExpectedJob& job) { return job.name == unit.name; });
    return !is_job && std::filesystem::exists(together.checkpoint()) && !together.history();
  }

  [[nodiscard]] std::string lock_of(const Unit& unit) const { return folder_ + "/locks/" + unit.name; }

  std::optional<Lock> take_lock_of(const Unit& unit) {
    std::optional<Lock> mine = Lock::try_take(lock_of(unit));
    // The workers of a run that was killed may need a moment to end: ten seconds in all.
    for (; task_.worker && !mine && tenths_waited_ < 100 && !task_.stop.stop_requested(); ++tenths_waited_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      mine = Lock::try_take(lock_of(unit));
    }
    return mine;
  }

  /// Paths of a unit's files but its times: those of its jobs, and those of a common training under the unit's name
  /// (`Jobs::run_together`).
  [[nodiscard]] static std::vector<std::string> files_of(const Unit& unit) {
    std::set<std::string> jobs{unit.name};
    for (const ExpectedJob& job : unit.jobs) {
      jobs.insert(job.name);
    }
    std::vector<std::string> files;
    for (const std::string& job : jobs) {
      const JobFiles names{".", job};
      for (const std::string& path :
           {names.manifest(), names.epochs(), names.checkpoint(), names.divergence(), names.score()}) {
        files.push_back(path.substr(2));
      }
    }
    return files;
  }

  /// Throws Error for a job of the plan that `train` has left undone: it would never be complete.
  void check_trained(const Unit& unit) const {
    for (const ExpectedJob& job : unit.jobs) {
      if (is_finished(job)) {
        continue;
      }
      const bool trained = JobFiles{folder_, job.name}.history().has_value();
      throw Error("Experiment::train has trained the unit " + unit.name + ", but its job " + job.name +
                  (trained ? " has no score: the plan says ExpectedJob::scored, so give it a Job::score"
                           : " is not at its end: Jobs::run or Jobs::compute must be called with each job of the plan, "
                             "by its name"));
    }
  }

  Experiment& experiment_;
  const Task& task_;
  std::string folder_;
  int tenths_waited_ = 0;
};

}  // namespace regimen::inline v0::experiment::detail
