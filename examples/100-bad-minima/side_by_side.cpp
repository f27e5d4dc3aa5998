#include "side_by_side.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <sstream>
#include <string>

#include "job_line.hpp"
#include "jobs.hpp"
#include "status_line.hpp"
#include "unit.hpp"
#include "workers.hpp"

namespace {

/// A process of this program with the same command line, and behind it the options that make it a worker: of an option
/// that is given twice the last counts.
Command worker(const std::string& name, const std::vector<std::string>& more, const Settings& settings,
               const Task& task) {
  Command command{name, this_program, task.words};
  for (const std::string& word : {std::string("--worker"), std::string("--workers"), std::string("1"),
                                  std::string("--threads"), std::to_string(settings.threads)}) {
    command.words.push_back(word);
  }
  command.words.insert(command.words.end(), more.begin(), more.end());
  return command;
}

/// Keeps account of the jobs that workers tell of, and shows it.
class Account {
 public:
  /// `prefix`: of the jobs' names, if all have it; a line of 80 columns has no room for it.
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

  /// A worker's start is part of its first job.
  void started(const std::vector<std::string>& jobs) {
    const auto first =
        std::find_if(jobs.begin(), jobs.end(), [&](const auto& job) { return !time_left_.is_done(job); });
    if (first != jobs.end()) {
      time_left_.begin(*first, now());
    }
  }

  /// What is running: "[3 of 25 done, about 1 min 50 s left] seed1-R2-all_three, seed2-R2-memorize"
  void show() {
    std::string names;
    for (const std::string& job : time_left_.running()) {
      names += (names.empty() ? "" : ", ") + brief(job);
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

}  // namespace

void train_side_by_side(const std::vector<Unit>& units, const std::vector<Chain>& chains, bool in_seconds,
                        const Settings& settings, const Task& task) {
  TimeLeft time_left(chains, settings.workers, in_seconds);
  std::vector<Command> commands;
  std::map<std::string, std::vector<std::string>> jobs;
  for (const Unit& unit : units) {
    bool complete = true;
    for (const std::string& what : trainings_of(unit, settings)) {
      const bool finished = task.resume && finished_history(unit, what, settings).has_value();
      complete = complete && finished;
      jobs[unit.name()].push_back(unit.job(what));
      if (finished) {
        time_left.skip(unit.job(what));
      }
    }
    if (!complete) {
      commands.push_back(worker(unit.name(), {"--resume", "--unit", unit.name()}, settings, task));
    }
  }
  Account account(std::move(time_left), settings.models.size() == 1 ? settings.models.front() + "-" : "", task.quiet);
  const Overseer overseer{.started = [&](const std::string& unit) { account.started(jobs.at(unit)); },
                          .heard = [&](const std::string&, const std::string& line) { account.heard(line); },
                          .waiting = [&] { account.show(); },
                          .stop = [&] { return task.stop.stop_requested(); }};
  if (!run_side_by_side(commands, settings.workers, overseer)) {
    throw Interrupted();
  }
}

Paces measure_side_by_side(const Settings& settings, const Task& task) {
  std::vector<Command> commands;
  for (int i = 0; i < settings.workers; ++i) {
    commands.push_back(worker("pace " + std::to_string(i + 1), {"--pace"}, settings, task));
  }
  Paces sums;
  const auto add = [&](const std::string&, const std::string& line) {
    std::istringstream words(line);
    std::string first;
    std::string model;
    Pace pace;
    if (words >> first >> model >> pace.training >> pace.scoring && first == "pace") {
      sums[model].training += pace.training / settings.workers;
      sums[model].scoring += pace.scoring / settings.workers;
    }
  };
  if (!run_side_by_side(commands, settings.workers,
                        {.heard = add, .stop = [&] { return task.stop.stop_requested(); }})) {
    throw Interrupted();
  }
  return sums;
}

void tell_paces(const Paces& paces) {
  for (const auto& [model, pace] : paces) {
    std::printf("pace %s %.1f %.1f\n", model.c_str(), pace.training, pace.scoring);
  }
}
