#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "regimen/experiment/plan.hpp"

namespace regimen::inline v0::experiment {

/// A duration as text: "50 s", "2 min 05 s", "3.1 hours", "9.0 days".
inline std::string duration(double seconds) {
  char text[64];
  if (seconds < 59.5) {
    std::snprintf(text, sizeof text, "%.0f s", seconds);
  } else if (seconds < 3600) {
    const auto whole = static_cast<int>(std::lround(seconds));
    std::snprintf(text, sizeof text, "%d min %02d s", whole / 60, whole % 60);
  } else if (seconds < 2 * 86400) {
    std::snprintf(text, sizeof text, "%.1f hours", seconds / 3600);
  } else if (seconds < 2 * 365 * 86400.0) {
    std::snprintf(text, sizeof text, "%.1f days", seconds / 86400);
  } else {
    std::snprintf(text, sizeof text, "%.1f years", seconds / (365 * 86400.0));
  }
  return text;
}

/// An estimate of the time that workers need for chains of jobs, from the times of finished jobs. A job is expected to
/// take its cost times a factor: seconds over costs of the finished jobs of its kind, or of all finished jobs if none
/// is of its kind. `now`: seconds since any fixed moment.
class TimeLeft {
 public:
  /// `in_seconds`: costs are measured seconds, so there is an estimate before the first job has ended.
  TimeLeft(std::vector<Chain> chains, int at_once, bool in_seconds)
      : chains_(std::move(chains)), at_once_(at_once), in_seconds_(in_seconds) {}

  /// Marks a job as running. `anew`: from its start; times of resumed jobs are left out of the estimate. A job that
  /// runs already keeps its first beginning, so a process's start can count as part of its first job. A finished job
  /// stays finished: a worker revisits those of an earlier run.
  void begin(const std::string& job, double now, bool anew = true);
  void end(const std::string& job, double now);

  /// Counts a job of an earlier run as done.
  void skip(const std::string& job) { jobs_[job] = {.state = State::done}; }

  /// Seconds until the last job ends; nullopt without an estimate.
  [[nodiscard]] std::optional<double> seconds(double now) const;

  [[nodiscard]] bool has(const std::string& job) const { return find(job) != nullptr; }
  [[nodiscard]] bool is_done(const std::string& job) const;
  [[nodiscard]] int done() const;  ///< number of finished jobs
  [[nodiscard]] int count() const;
  [[nodiscard]] std::vector<std::string> running() const;  ///< names of jobs that have begun and not ended

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

inline void TimeLeft::begin(const std::string& job, double now, bool anew) {
  Job& begun = jobs_[job];
  if (begun.state == State::done) {
    return;
  }
  if (begun.state != State::running) {
    begun = {.state = State::running, .began = now};
  }
  begun.anew = anew;
}

inline void TimeLeft::end(const std::string& job, double now) {
  Job& ended = jobs_[job];
  const ExpectedJob* const expected = find(job);
  if (ended.state == State::running && ended.anew && expected != nullptr) {
    for (Seen* seen : {&kinds_[expected->kind], &all_}) {
      ++seen->jobs;
      seen->seconds += now - ended.began;
      seen->cost += expected->cost;
    }
  }
  ended.state = State::done;
}

inline std::optional<double> TimeLeft::seconds(double now) const {
  if (!in_seconds_ && all_.jobs == 0) {
    return std::nullopt;
  }
  std::vector<double> busy;
  std::vector<double> waiting;
  for (const Chain& chain : chains_) {
    double left = 0;
    bool begun = false;
    for (const ExpectedJob& expected : chain) {
      left += rest(expected, now);
      begun = begun || job(expected).state == State::running;
    }
    (begun ? busy : waiting).push_back(left);
  }
  return makespan(waiting, at_once_, busy);
}

inline bool TimeLeft::is_done(const std::string& job) const {
  const auto found = jobs_.find(job);
  return found != jobs_.end() && found->second.state == State::done;
}

inline int TimeLeft::done() const {
  return static_cast<int>(
      std::count_if(jobs_.begin(), jobs_.end(), [](const auto& job) { return job.second.state == State::done; }));
}

inline int TimeLeft::count() const {
  std::size_t sum = 0;
  for (const Chain& chain : chains_) {
    sum += chain.size();
  }
  return static_cast<int>(sum);
}

inline std::vector<std::string> TimeLeft::running() const {
  std::vector<std::string> names;
  for (const auto& [name, job] : jobs_) {
    if (job.state == State::running) {
      names.push_back(name);
    }
  }
  return names;
}

inline const ExpectedJob* TimeLeft::find(const std::string& job) const {
  for (const Chain& chain : chains_) {
    for (const ExpectedJob& expected : chain) {
      if (expected.name == job) {
        return &expected;
      }
    }
  }
  return nullptr;
}

inline TimeLeft::Job TimeLeft::job(const ExpectedJob& expected) const {
  const auto found = jobs_.find(expected.name);
  return found == jobs_.end() ? Job{} : found->second;
}

inline double TimeLeft::whole(const ExpectedJob& expected) const {
  const auto found = kinds_.find(expected.kind);
  const Seen& seen = found == kinds_.end() ? all_ : found->second;
  return seen.cost > 0 ? expected.cost * seen.seconds / seen.cost : expected.cost;
}

inline double TimeLeft::rest(const ExpectedJob& expected, double now) const {
  const Job known = job(expected);
  switch (known.state) {
    case State::waiting:
      return whole(expected);
    case State::running:
      return std::max(0.0, whole(expected) - (now - known.began));
    default:
      return 0;
  }
}

/// The time left as text, ", about 1 min 50 s left"; empty if unknown or if no job is left.
inline std::string time_left_text(const TimeLeft& time_left, double now) {
  const std::optional<double> left = time_left.seconds(now);
  if (!left || time_left.done() == time_left.count()) {
    return "";
  }
  // Rounded up to ten seconds: the estimate is no more precise.
  return ", about " + duration(*left < 3600 ? 10 * std::max(1.0, std::ceil(*left / 10)) : *left) + " left";
}

}  // namespace regimen::inline v0::experiment
