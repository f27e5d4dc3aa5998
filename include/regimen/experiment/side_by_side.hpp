#pragma once
// No LibTorch.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/text_list.hpp"
#include "regimen/experiment/cost.hpp"
#include "regimen/experiment/detail/portions.hpp"
#include "regimen/experiment/job_line.hpp"
#include "regimen/experiment/plan.hpp"
#include "regimen/experiment/signals.hpp"
#include "regimen/experiment/status_line.hpp"
#include "regimen/experiment/task.hpp"
#include "regimen/experiment/time_left.hpp"
#include "regimen/experiment/workers.hpp"

namespace regimen::inline v0::experiment {

/// Options of `do_side_by_side`.
struct SideBySide {
  int workers = 1;          ///< processes at a time
  int threads = 1;          ///< of each process
  bool in_seconds = true;   ///< whether the plan's costs are seconds
  bool keep_going = false;  ///< whether the others go on after one has failed or was killed
  bool several = true;      ///< whether units of less than a few seconds share a process
  std::string prefix{};     ///< common start of the jobs' names, left out on the terminal
  std::function<bool(const ExpectedJob& job)> is_finished{};  ///< called if the task resumes a run
};

namespace detail {

/// The command of a worker: this program with its own command line and then the options of a worker, since of an option
/// that is given twice the last counts.
inline Command worker(const std::string& name, const std::vector<std::string>& more, int threads, const Task& task) {
  Command command{name, this_program, task.words};
  for (const std::string& word : {std::string("--worker"), std::string("--workers"), std::string("1"),
                                  std::string("--threads"), std::to_string(threads)}) {
    command.words.push_back(word);
  }
  if (task.pack > 1) {
    command.words.insert(command.words.end(), {"--pack", "1"});
  }
  command.words.insert(command.words.end(), more.begin(), more.end());
  return command;
}

/// Counts the jobs that workers report, and shows their progress.
class Account {
 public:
  Account(TimeLeft time_left, std::string prefix, bool quiet)
      : time_left_(std::move(time_left)), prefix_(std::move(prefix)), line_(quiet) {}

  void heard(const std::string& text) {
    const std::optional<JobLine> line = JobLine::read(text);
    if (!line) {
      return;
    }
    if (line->what == JobLine::What::ends) {
      time_left_.end(line->job, now());
      line_.milestone(state() + brief(line->job) + ", after " + duration(now()));
    } else {
      time_left_.begin(line->job, now(), line->what == JobLine::What::begins);
    }
  }

  /// Begins a worker's first unfinished job, so that its time includes the worker's start.
  void started(const Chain& jobs) {
    const auto first =
        std::find_if(jobs.begin(), jobs.end(), [&](const auto& job) { return !time_left_.is_done(job.name); });
    if (first != jobs.end()) {
      time_left_.begin(first->name, now());
    }
  }

  /// Shows the running jobs: "[3 of 25 done, about 1 min 50 s left] seed1-R2-all_three, seed2-R2-memorize"
  void show() {
    std::string names;
    for (const std::string& job : time_left_.running()) {
      regimen::detail::add_item(names, brief(job));
    }
    line_.show(state() + names);
  }

 private:
  [[nodiscard]] std::string state() const {
    return "[" + std::to_string(time_left_.done()) + " of " + std::to_string(time_left_.count()) + " done" +
           time_left_text(time_left_, now()) + "] ";
  }

  [[nodiscard]] std::string brief(const std::string& job) const {
    return job.rfind(prefix_, 0) == 0 ? job.substr(prefix_.size()) : job;
  }

  [[nodiscard]] double now() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  }

  TimeLeft time_left_;
  std::string prefix_;
  StatusLine line_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace detail

/// Runs the units of a plan in processes of this program, at most `how.workers` at a time, in order, and shows progress
/// on stderr. Each process has this program's command line (`task.words`) and then `--worker --workers 1 --threads N
/// --resume --unit NAME`, where units are short `--unit NAME,NAME...`, and reports its jobs by `JobLine`s. If the task
/// resumes a run, units whose jobs are all finished are skipped. Throws Interrupted if the task was stopped, and Error
/// for a worker that failed.
inline void do_side_by_side(const Plan& plan, const SideBySide& how, const Task& task) {
  TimeLeft time_left(chains_of(plan), how.workers, how.in_seconds);
  std::vector<std::string> units;
  std::map<std::string, Chain> jobs;
  for (const Unit& unit : plan) {
    bool complete = true;
    for (const ExpectedJob& job : unit.jobs) {
      const bool finished = task.resume && how.is_finished && how.is_finished(job);
      complete = complete && finished;
      if (finished) {
        time_left.skip(job.name);
      }
    }
    jobs[unit.name] = unit.jobs;
    if (!complete) {
      units.push_back(unit.name);
    }
  }
  detail::Portions portions(units, how.workers, how.several);
  detail::Account account(std::move(time_left), how.prefix, task.quiet);
  const Overseer overseer{
      .started = [&](const std::string& name) { account.started(jobs.at(portions.called(name).units.front())); },
      .heard = [&](const std::string&, const std::string& line) { account.heard(line); },
      .succeeded =
          [&](const std::string& name) {
            const std::chrono::duration<double> took = std::chrono::steady_clock::now() - portions.called(name).begin;
            portions.succeeded(name, took.count());
          },
      .waiting = [&] { account.show(); },
      .stop = [&] { return task.stop.stop_requested(); },
      .keep_going = how.keep_going,
      .takes_back = [&](const std::string& name) { return how.keep_going && portions.take_back(name); }};
  const NextCommand next = [&]() -> std::optional<Command> {
    const detail::Portions::Portion portion = portions.next();
    return portion.units.empty()
               ? std::nullopt
               : std::optional(detail::worker(portion.name, {"--resume", "--unit", portion.list()}, how.threads, task));
  };
  if (!run_in_turn(next, how.workers, overseer)) {
    throw Interrupted();
  }
}

/// Prints the paces for the parent process on stdout, a line for each network.
inline void tell_paces(const Paces& paces) {
  for (const auto& [network, pace] : paces) {
    std::printf("pace %s %.1f %.1f\n", network.c_str(), pace.training, pace.scoring);
  }
}

/// The mean paces of workers that run at once: processors that share a core, or a host, share their speed. Each worker
/// is this program with `--worker --workers 1 --threads N --pace`, and answers by `tell_paces`.
/// Throws Interrupted if the task was stopped, and Error for a worker that failed.
inline Paces measure_side_by_side(int workers, int threads, const Task& task) {
  std::vector<Command> commands;
  for (int i = 0; i < workers; ++i) {
    commands.push_back(detail::worker("pace " + std::to_string(i + 1), {"--pace"}, threads, task));
  }
  Paces means;
  const auto add = [&](const std::string&, const std::string& line) {
    std::istringstream words(line);
    std::string first;
    std::string network;
    Pace pace;
    if (words >> first >> network >> pace.training >> pace.scoring && first == "pace") {
      means[network].training += pace.training / workers;
      means[network].scoring += pace.scoring / workers;
    }
  };
  if (!run_side_by_side(commands, workers, {.heard = add, .stop = [&] { return task.stop.stop_requested(); }})) {
    throw Interrupted();
  }
  return means;
}

}  // namespace regimen::inline v0::experiment
