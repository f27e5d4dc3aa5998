#pragma once
// No LibTorch.

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// A job that is to be done. Jobs of one kind are expected to be off by one factor.
struct ExpectedJob {
  std::string name;
  std::string kind;
  double cost = 1;  ///< seconds, or what else is known: see `TimeLeft`
};

/// Jobs that one worker does, one after another.
using Chain = std::vector<ExpectedJob>;

/// Seconds until the last of `at_once` workers is done, if whoever is free takes the next piece of work, in order.
/// `busy`: seconds that workers still need for what they are doing now; those not listed are free.
double makespan(const std::vector<double>& seconds, int at_once, std::vector<double> busy = {});

/// "50 s", "2 min 05 s", "3.1 hours", "9.0 days"
std::string duration(double seconds);

/// How long some workers will need for chains of jobs, from what finished ones have taken. A job is expected to take
/// its cost times a factor: the seconds that finished jobs of its kind took over their costs, or, where its kind has
/// none yet, those of all finished jobs. Times are seconds since any one moment.
class TimeLeft {
 public:
  /// `in_seconds`: costs are seconds that were measured, so there is an answer before the first job has ended.
  TimeLeft(std::vector<Chain> chains, int at_once, bool in_seconds)
      : chains_(std::move(chains)), at_once_(at_once), in_seconds_(in_seconds) {}

  /// `anew`: from its very start; what the rest of a resumed job takes says nothing about others. A job that runs
  /// already keeps its first beginning, so a process's start can be counted as part of its first job. A job that is
  /// done stays done: a worker looks once more at those of an earlier run.
  void begin(const std::string& job, double now, bool anew = true);
  void end(const std::string& job, double now);

  /// Leaves out a job that was done before.
  void skip(const std::string& job) { jobs_[job] = {.state = State::done}; }

  /// Until the last job has ended; none while nothing is known.
  [[nodiscard]] std::optional<double> seconds(double now) const;

  [[nodiscard]] bool is_done(const std::string& job) const;
  [[nodiscard]] int done() const;  ///< how many
  [[nodiscard]] int count() const;
  [[nodiscard]] std::vector<std::string> running() const;  ///< the names of the jobs that have begun and not ended

 private:
  enum class State { waiting, running, done };
  struct Job {
    State state = State::waiting;
    double began = 0;
    bool anew = true;
  };
  struct Seen {
    int jobs = 0;
    double seconds = 0;
    double cost = 0;
  };

  [[nodiscard]] const ExpectedJob* find(const std::string& job) const;
  [[nodiscard]] Job job(const ExpectedJob& expected) const;
  [[nodiscard]] double whole(const ExpectedJob& expected) const;
  [[nodiscard]] double rest(const ExpectedJob& expected, double now) const;

  std::vector<Chain> chains_;
  int at_once_;
  bool in_seconds_;
  std::map<std::string, Job> jobs_{};
  std::map<std::string, Seen> kinds_{};
  Seen all_{};
};
