#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "regimen/base/lock.hpp"
#include "regimen/experiment/budget.hpp"
#include "regimen/experiment/cost.hpp"
#include "regimen/experiment/folder.hpp"
#include "regimen/experiment/job.hpp"
#include "regimen/experiment/plan.hpp"
#include "regimen/experiment/side_by_side.hpp"

namespace regimen::inline v0::experiment {

/// An experiment of many trainings, as `conduct` takes it: what it is made of, and how one unit of it is trained. What
/// a unit comes to must hang on the settings and the unit's name alone.
class Experiment {
 public:
  Experiment() = default;
  Experiment(const Experiment&) = delete;
  Experiment& operator=(const Experiment&) = delete;
  virtual ~Experiment() = default;

  /// The results folder, with the settings as the command line has them.
  [[nodiscard]] virtual FolderContents contents() const = 0;

  /// Reads the data and looks at everything that may be wrong: before anything is written.
  virtual void load() = 0;

  /// All units, with what their jobs are expected to cost: by `cost`, where `paces` is empty in images. Without loaded
  /// data only the names are looked at.
  [[nodiscard]] virtual Plan plan(const Paces& paces) const = 0;

  /// Trains a unit: all of its jobs, those that are finished too, which go on from their ends.
  virtual void train(const std::string& unit, Jobs& jobs) = 0;

  /// Whether a job is at its end, with everything that belongs to it.
  [[nodiscard]] virtual bool is_finished(const std::string& job) const {
    return JobFiles{contents().path, job}.history().has_value();
  }

  /// Tables and pictures of what is at its end. Returns whether that is all.
  virtual bool show_results() = 0;

  /// What is done once the folder is there and nothing is trained yet.
  virtual void begin() {}

  /// How fast this process trains and scores each network.
  virtual Paces measure() { return {}; }

  /// Makes the experiment what a plan says: the content of the folder's file "plan", or what `fit` gave.
  virtual void keep_to(const std::string& /*plan*/) {}

  /// The plan of the largest experiment that fits the task's budget, of which `passed` seconds are over, and a sentence
  /// about it. Throws Error if there is none.
  struct Sized {
    std::string plan{};
    std::string sentence{};
  };
  virtual Sized fit(double /*passed*/, const Paces& /*paces*/) {
    throw Error("--budget: this experiment cannot be made smaller");
  }

  /// What is said of the plan that a run goes on with; nothing if it is the whole experiment.
  [[nodiscard]] virtual std::string planned_before() const { return ""; }
};

/// How an experiment is conducted.
struct Conduct {
  int workers = 1;                ///< processes side by side; their options are those of `do_side_by_side`
  int threads = 1;                ///< of each
  std::string prefix{};           ///< of the jobs' names, if all have it
  bool ends_by_itself = false;    ///< whether phases may end earlier than is planned for
  bool always_estimates = false;  ///< says what it will take even if the task is to be quiet
};

namespace detail {

class Conductor {
 public:
  Conductor(Experiment& experiment, const Task& task, const Conduct& how)
      : experiment_(experiment), task_(task), how_(how), contents_(experiment.contents()) {}

  void list() {
    keep_to(ResultsFolder::peek(contents_));
    for (const Unit& unit : experiment_.plan({})) {
      std::printf("%s\n", unit.name.c_str());
    }
  }

  void tell_pace() {
    experiment_.load();
    heed(task_.stop);
    tell_paces(experiment_.measure());
  }

  /// Tables and pictures of what is there.
  void collect() {
    const ResultsFolder folder(contents_, task_);
    keep_to(folder.plan());
    check_same_settings(contents_.path + "/settings.json", contents_.settings(folder.plan().value_or("")),
                        contents_.defaults);
    folder.note_complete(experiment_.show_results());
  }

  void train_unit() {
    // Others that want the folder must not wait while data are loaded, which can take minutes.
    keep_to(ResultsFolder::peek(contents_));
    (void)chosen(experiment_.plan({}), task_.unit);
    experiment_.load();
    heed(task_.stop);
    ResultsFolder folder(contents_, task_);
    const std::optional<std::string> plan = folder.plan();
    keep_to(plan);
    folder.open(plan.value_or(""));
    one_after_another(chosen(experiment_.plan({}), task_.unit), /*in_seconds=*/false);
  }

  void train_all() {
    const auto began = std::chrono::steady_clock::now();
    ResultsFolder folder(contents_, task_);
    std::optional<std::string> plan = folder.plan();
    if (plan) {
      check_same_settings(contents_.path + "/settings.json", contents_.settings(*plan), contents_.defaults);
    }
    experiment_.load();
    heed(task_.stop);
    keep_to(plan);
    if (plan && !experiment_.planned_before().empty()) {
      std::printf("%s\n", experiment_.planned_before().c_str());
    }
    Paces paces;
    // A quiet run has no use for an estimate, unless it has a budget.
    if (how_.always_estimates || task_.budget > 0 || !task_.quiet) {
      paces = paces_here();
      if (task_.budget > 0 && !plan) {
        const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began;
        const Experiment::Sized sized = experiment_.fit(passed.count(), paces);
        std::printf("%s\n", sized.sentence.c_str());
        plan = sized.plan;
        keep_to(plan);
      }
      tell_expected_time(experiment_.plan(paces), paces);
    }
    folder.open(plan.value_or(""));
    experiment_.begin();
    train(experiment_.plan(paces), !paces.empty());
    folder.note_complete(experiment_.show_results());
  }

 private:
  void keep_to(const std::optional<std::string>& plan) {
    if (plan && !plan->empty()) {
      experiment_.keep_to(*plan);
    }
  }

  Paces paces_here() {
    const Paces paces =
        how_.workers > 1 ? measure_side_by_side(how_.workers, how_.threads, task_) : experiment_.measure();
    for (const auto& [network, pace] : paces) {
      std::printf("%s: %.0f images/s in training, %.0f in scoring%s\n", network.c_str(), pace.training, pace.scoring,
                  how_.workers > 1 ? ", each worker" : "");
    }
    return paces;
  }

  /// Says what the experiment will take, or what is left of a resumed one, before it begins.
  void tell_expected_time(const Plan& plan, const Paces& paces) const {
    std::vector<Chain> left;
    double longest = 0;
    for (const Unit& unit : plan) {
      Chain jobs;
      std::copy_if(unit.jobs.begin(), unit.jobs.end(), std::back_inserter(jobs),
                   [&](const ExpectedJob& job) { return !task_.resume || !experiment_.is_finished(job.name); });
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
                     .is_finished = [&](const std::string& job) { return experiment_.is_finished(job); }},
                    task_);
  }

  void one_after_another(const Plan& plan, bool in_seconds) {
    // One worker's chain is all of it.
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

  /// False if another process works on the unit.
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
    const bool complete = task_.resume && std::all_of(unit.jobs.begin(), unit.jobs.end(), [&](const ExpectedJob& job) {
                            return experiment_.is_finished(job.name);
                          });
    if (complete) {
      for (const ExpectedJob& job : unit.jobs) {
        jobs.skip(job.name);
      }
    } else {
      experiment_.train(unit.name, jobs);
    }
    return true;
  }

  Experiment& experiment_;
  const Task& task_;
  const Conduct& how_;
  FolderContents contents_;
};

}  // namespace detail

/// Does with an experiment what its task says: lists its units, tells a worker's pace, collects what is there, trains
/// one unit, or all of them: one after another, or side by side in processes of this program. A run that is killed goes
/// on with `Task::resume`, and ends in the same bytes.
/// Throws Interrupted if the task was stopped, and Error for misuse and for a worker that failed.
inline void conduct(Experiment& experiment, const Task& task, const Conduct& how) {
  detail::Conductor conductor(experiment, task, how);
  if (task.list) {
    conductor.list();
  } else if (task.pace) {
    conductor.tell_pace();
  } else if (task.collect) {
    conductor.collect();
  } else if (!task.unit.empty()) {
    conductor.train_unit();
  } else {
    conductor.train_all();
  }
}

}  // namespace regimen::inline v0::experiment
