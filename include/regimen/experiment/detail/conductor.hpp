#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/text_list.hpp"
#include "regimen/experiment/budget.hpp"
#include "regimen/experiment/concept.hpp"
#include "regimen/experiment/conduct_options.hpp"
#include "regimen/experiment/copy_published.hpp"
#include "regimen/experiment/cost.hpp"
#include "regimen/experiment/detail/check_plan.hpp"
#include "regimen/experiment/detail/unit_trainer.hpp"
#include "regimen/experiment/done_file.hpp"
#include "regimen/experiment/errors.hpp"
#include "regimen/experiment/folder.hpp"
#include "regimen/experiment/job.hpp"
#include "regimen/experiment/plan.hpp"
#include "regimen/experiment/published.hpp"
#include "regimen/experiment/read_results.hpp"
#include "regimen/experiment/results.hpp"
#include "regimen/experiment/side_by_side.hpp"
#include "regimen/experiment/unit_choice.hpp"
#include "regimen/experiment/unit_list.hpp"

namespace regimen::inline v0::experiment::detail {

/// What `conduct` does, in one function for each kind of task.
class Conductor {
 public:
  Conductor(Experiment& experiment, const Task& task, const Conduct& how)
      : experiment_(experiment),
        task_(task),
        how_(how),
        contents_(experiment.contents()),
        trainer_(experiment, task, contents_.path) {}

  void list() {
    keep_to(ResultsFolder::peek(contents_));
    std::fputs(list_of(units(), task_.list).c_str(), stdout);
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

  /// Trains the units that the task names: one here, a pack side by side. Those that are done end before any data is
  /// loaded, and so does a folder with other settings.
  void train_units() {
    const std::optional<std::string> before = ResultsFolder::peek(contents_);
    if (!before) {
      ResultsFolder::check_settings(contents_);
    }
    keep_to(before);
    const Plan wanted = chosen(units(), task_.unit, task_.pack);
    if (before && left_of(wanted).empty()) {
      if (!task_.quiet && !task_.worker) {
        std::printf("done before\n");
      }
      return;
    }
    const bool pack = task_.pack > 1;
    if (!pack) {
      // Loading data can take minutes, and other processes that want the folder must not wait for it.
      experiment_.load();
    }
    heed(task_.stop);
    ResultsFolder folder(contents_, task_);
    const std::optional<std::string> cut = folder.cut();
    keep_to(cut);
    folder.open(cut.value_or(""));
    const Plan left = left_of(chosen(units(), task_.unit, task_.pack));
    if (pack) {
      train_pack(left);
    } else {
      one_after_another(left, /*in_seconds=*/false);
    }
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

  [[nodiscard]] Plan units(const Paces& paces = {}) const {
    Plan plan = experiment_.plan(paces);
    check_plan(plan);
    return plan;
  }

  /// The units that are not done.
  [[nodiscard]] Plan left_of(Plan plan) const {
    std::erase_if(plan, [&](const Unit& unit) { return DoneFile(contents_.path, unit.name).holds(); });
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

  [[nodiscard]] bool is_finished(const ExpectedJob& job) const { return trainer_.is_finished(job); }

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
    } else {
      side_by_side(longest_first(plan), in_seconds, /*keep_going=*/false);
    }
  }

  void side_by_side(const Plan& plan, bool in_seconds, bool keep_going) {
    if (task_.resume) {
      std::for_each(plan.begin(), plan.end(), [&](const Unit& unit) { trainer_.note_if_done(unit); });
    }
    do_side_by_side(plan,
                    {.workers = how_.workers,
                     .threads = how_.threads,
                     .in_seconds = in_seconds,
                     .keep_going = keep_going,
                     .prefix = how_.prefix,
                     .is_finished = [&](const ExpectedJob& job) { return is_finished(job); }},
                    task_);
  }

  /// A unit of a pack that fails, or that another process works on, keeps no other from its end.
  void train_pack(const Plan& plan) {
    side_by_side(plan, /*in_seconds=*/false, /*keep_going=*/true);
    std::string busy;
    for (const Unit& unit : left_of(plan)) {
      regimen::detail::add_item(busy, unit.name);
    }
    report_busy(busy);
  }

  /// A whole run in one process ends with the first unit that fails. Of the units that `--unit` names each is tried.
  void one_after_another(const Plan& plan, bool in_seconds) {
    // A single worker does all jobs, in one chain.
    Chain all;
    for (const Unit& unit : plan) {
      all.insert(all.end(), unit.jobs.begin(), unit.jobs.end());
    }
    Jobs jobs(contents_.path, task_, TimeLeft({all}, 1, in_seconds));
    std::string busy;
    std::string failures;
    for (const Unit& unit : plan) {
      try {
        if (!trainer_.train(unit, jobs)) {
          regimen::detail::add_item(busy, unit.name);
        }
      } catch (const std::exception& failure) {
        if (plan.size() == 1 || task_.unit.empty() || task_.stop.stop_requested()) {
          throw;
        }
        regimen::detail::add_item(failures, unit.name + ": " + failure.what(), "\n");
      }
    }
    if (!failures.empty()) {
      throw Error(failures);
    }
    report_busy(busy);
  }

  void report_busy(const std::string& units) const {
    if (units.empty()) {
      return;
    }
    const std::string message = "another process works on " + units;
    if (!task_.unit.empty() && !task_.worker) {
      throw Busy(message + ": wait for it, or train another unit");
    }
    // A worker's line on stderr is printed by its parent.
    std::fprintf(stderr, "%s\n", message.c_str());
  }

  Experiment& experiment_;
  const Task& task_;
  const Conduct& how_;
  FolderContents contents_;
  UnitTrainer trainer_;
};

}  // namespace regimen::inline v0::experiment::detail
