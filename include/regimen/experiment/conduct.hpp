#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "regimen/base/lock.hpp"
#include "regimen/experiment/budget.hpp"
#include "regimen/experiment/concept.hpp"
#include "regimen/experiment/copy_published.hpp"
#include "regimen/experiment/cost.hpp"
#include "regimen/experiment/folder.hpp"
#include "regimen/experiment/job.hpp"
#include "regimen/experiment/plan.hpp"
#include "regimen/experiment/published.hpp"
#include "regimen/experiment/read_results.hpp"
#include "regimen/experiment/results.hpp"
#include "regimen/experiment/side_by_side.hpp"

namespace regimen::inline v0::experiment {

/// Options of `conduct`.
struct Conduct {
  int workers = 1;                ///< processes at a time; from 2 on by `do_side_by_side`
  int threads = 1;                ///< of each process
  std::string prefix{};           ///< common start of the jobs' names, left out on the terminal
  bool ends_by_itself = false;    ///< whether phases may end earlier than planned
  bool always_estimates = false;  ///< whether a quiet task prints the expected time, too
};

namespace detail {

class Conductor {
 public:
  Conductor(Experiment& experiment, const Task& task, const Conduct& how)
      : experiment_(experiment), task_(task), how_(how), contents_(experiment.contents()) {}

  void list() {
    keep_to(ResultsFolder::peek(contents_));
    for (const Unit& unit : units()) {
      std::printf("%s\n", unit.name.c_str());
    }
  }

  void tell_pace() {
    experiment_.load();
    heed(task_.stop);
    tell_paces(experiment_.measure_pace());
  }

  /// Makes tables and pictures of the finished jobs.
  void collect() {
    const ResultsFolder folder(contents_, task_);
    keep_to(folder.cut());
    check_same_settings(contents_.path + "/settings.json", contents_.settings(folder.cut().value_or("")),
                        contents_.defaults);
    show_results(folder);
  }

  /// Makes tables and pictures of what another folder's tables tell.
  void show_published() {
    const Results results = read_published(task_.from, units());
    copy_published(task_.from, contents_.path);
    experiment_.show(results);
  }

  void train_unit() {
    // Loading data can take minutes, and other processes that want the folder must not wait for it.
    keep_to(ResultsFolder::peek(contents_));
    (void)chosen(units(), task_.unit);
    experiment_.load();
    heed(task_.stop);
    ResultsFolder folder(contents_, task_);
    const std::optional<std::string> cut = folder.cut();
    keep_to(cut);
    folder.open(cut.value_or(""));
    one_after_another(chosen(units(), task_.unit), /*in_seconds=*/false);
  }

  void train_all() {
    const auto began = std::chrono::steady_clock::now();
    ResultsFolder folder(contents_, task_);
    std::optional<std::string> cut = folder.cut();
    if (cut) {
      check_same_settings(contents_.path + "/settings.json", contents_.settings(*cut), contents_.defaults);
    }
    experiment_.load();
    heed(task_.stop);
    keep_to(cut);
    if (cut && !experiment_.planned_before().empty()) {
      std::printf("%s\n", experiment_.planned_before().c_str());
    }
    Paces paces;
    // A quiet run has no use for an estimate, unless it has a budget.
    if (how_.always_estimates || task_.budget > 0 || !task_.quiet) {
      paces = paces_here();
      if (task_.budget > 0 && !cut) {
        const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began;
        const Experiment::Sized sized = experiment_.fit_to_budget(passed.count(), paces);
        std::printf("%s\n", sized.sentence.c_str());
        cut = sized.cut;
        keep_to(cut);
      }
      tell_expected_time(units(paces), paces);
    }
    folder.open(cut.value_or(""));
    experiment_.begin();
    train(units(paces), !paces.empty());
    show_results(folder);
  }

 private:
  void keep_to(const std::optional<std::string>& cut) {
    if (cut && !cut->empty()) {
      experiment_.keep_to(*cut);
    }
  }

  /// The experiment's plan. Throws Error for two units, or two jobs, of one name: they would write the same files.
  [[nodiscard]] Plan units(const Paces& paces = {}) const {
    Plan plan = experiment_.plan(paces);
    std::set<std::string> names;
    std::set<std::string> jobs;
    for (const Unit& unit : plan) {
      if (!names.insert(unit.name).second) {
        throw Error("Experiment::plan: two units are called " + unit.name + "; give each a name of its own");
      }
      for (const ExpectedJob& job : unit.jobs) {
        if (!jobs.insert(job.name).second) {
          throw Error("Experiment::plan: two jobs are called " + job.name +
                      " and would write the same files; give each a name of its own");
        }
      }
    }
    return plan;
  }

  void show_results(const ResultsFolder& folder) {
    const Plan plan = units();
    const Results results = read_results(contents_.path, plan);
    const std::size_t complete = complete_units(plan, results);
    if (complete < plan.size()) {
      std::printf("\n%zu of %zu units are complete; the rest: --resume, or --unit NAME for one of --list.\n", complete,
                  plan.size());
    }
    write_result_files(contents_.path, experiment_.manifest(), results);
    experiment_.show(results);
    folder.note_complete(complete == plan.size());
  }

  [[nodiscard]] bool is_finished(const ExpectedJob& job) const { return read_result(contents_.path, job).has_value(); }

  Paces paces_here() {
    const Paces paces =
        how_.workers > 1 ? measure_side_by_side(how_.workers, how_.threads, task_) : experiment_.measure_pace();
    for (const auto& [network, pace] : paces) {
      std::printf("%s: %.0f images/s in training, %.0f in scoring%s\n", network.c_str(), pace.training, pace.scoring,
                  how_.workers > 1 ? ", each worker" : "");
    }
    return paces;
  }

  /// Prints the expected time of the experiment, or of the rest of a resumed one.
  void tell_expected_time(const Plan& plan, const Paces& paces) const {
    std::vector<Chain> left;
    double longest = 0;
    for (const Unit& unit : plan) {
      Chain jobs;
      std::copy_if(unit.jobs.begin(), unit.jobs.end(), std::back_inserter(jobs),
                   [&](const ExpectedJob& job) { return !task_.resume || !is_finished(job); });
      if (!jobs.empty()) {
        longest = std::max(longest, seconds_of(jobs));
        left.push_back(std::move(jobs));
      }
    }
    if (left.empty() || paces.empty()) {
      return;
    }
    const std::string of = task_.resume ? " of " + std::to_string(plan.size()) + " are left," : "";
    const std::string order = how_.workers == 1 ? "one after another" : std::to_string(how_.workers) + " at a time";
    std::printf("%zu units%s that need nothing of each other, the longest of %s: %s %s %s here.\n", left.size(),
                of.c_str(), duration(longest).c_str(), order.c_str(), how_.ends_by_itself ? "about" : "at most",
                duration(seconds_of(left, how_.workers)).c_str());
    std::fflush(stdout);
  }

  void train(const Plan& plan, bool in_seconds) {
    if (how_.workers == 1) {
      one_after_another(plan, in_seconds);
      return;
    }
    do_side_by_side(longest_first(plan),
                    {.workers = how_.workers,
                     .threads = how_.threads,
                     .in_seconds = in_seconds,
                     .prefix = how_.prefix,
                     .is_finished = [&](const ExpectedJob& job) { return is_finished(job); }},
                    task_);
  }

  void one_after_another(const Plan& plan, bool in_seconds) {
    // A single worker does all jobs, in one chain.
    Chain all;
    for (const Unit& unit : plan) {
      all.insert(all.end(), unit.jobs.begin(), unit.jobs.end());
    }
    Jobs jobs(contents_.path, task_, TimeLeft({all}, 1, in_seconds));
    for (const Unit& unit : plan) {
      if (!train_alone(unit, jobs)) {
        if (!task_.unit.empty()) {
          throw Error("another process works on " + unit.name + ": wait for it, or train another unit");
        }
        std::printf("%s: another process works on it\n", unit.name.c_str());
      }
    }
  }

  /// Trains a unit here; false if another process works on it.
  bool train_alone(const Unit& unit, Jobs& jobs) {
    const std::string path = contents_.path + "/locks/" + unit.name;
    std::optional<Lock> mine = Lock::try_take(path);
    // The worker of a run that was killed may need a moment to end.
    for (int tenths = 0; task_.worker && !mine && tenths < 100; ++tenths) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      mine = Lock::try_take(path);
    }
    if (!mine) {
      return false;
    }
    const bool complete = task_.resume && std::all_of(unit.jobs.begin(), unit.jobs.end(),
                                                      [&](const ExpectedJob& job) { return is_finished(job); });
    if (complete) {
      for (const ExpectedJob& job : unit.jobs) {
        jobs.skip(job.name);
      }
    } else {
      experiment_.train(unit.name, jobs);
      check_trained(unit);
    }
    return true;
  }

  /// Throws Error for a job of the plan that `train` has left undone: it would never be complete.
  void check_trained(const Unit& unit) const {
    for (const ExpectedJob& job : unit.jobs) {
      if (is_finished(job)) {
        continue;
      }
      const bool trained = JobFiles{contents_.path, job.name}.history().has_value();
      throw Error("Experiment::train has trained the unit " + unit.name + ", but its job " + job.name +
                  (trained ? " has no score: the plan says ExpectedJob::scored, so give it a Job::score"
                           : " is not at its end: Jobs::run or Jobs::compute must be called with each job of the plan, "
                             "by its name"));
    }
  }

  Experiment& experiment_;
  const Task& task_;
  const Conduct& how_;
  FolderContents contents_;
};

}  // namespace detail

/// Runs an experiment as its task says: lists its units, measures a worker's pace, collects results, shows those of
/// another folder, or trains one unit or all: one after another, or side by side in processes of this program. A run
/// that is killed can be resumed by `Task::resume`, and ends in the same bytes.
/// Throws Interrupted if the task was stopped, and Error for misuse and for a worker that failed.
inline void conduct(Experiment& experiment, const Task& task, const Conduct& how) {
  detail::Conductor conductor(experiment, task, how);
  if (task.list) {
    conductor.list();
  } else if (task.pace) {
    conductor.tell_pace();
  } else if (!task.from.empty()) {
    conductor.show_published();
  } else if (task.collect) {
    conductor.collect();
  } else if (!task.unit.empty()) {
    conductor.train_unit();
  } else {
    conductor.train_all();
  }
}

}  // namespace regimen::inline v0::experiment
