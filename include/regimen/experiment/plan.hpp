#pragma once
// No LibTorch.

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::experiment {

/// The names and values that distinguish a job in its experiment, in the order of a table's columns.
///     {{"seed", "1"}, {"start", "random"}, {"regularizers", "l2"}}
using Factors = std::vector<std::pair<std::string, std::string>>;

/// A job of a plan. The costs of all jobs of one kind are assumed to be wrong by one common factor.
struct ExpectedJob {
  std::string name;
  std::string kind{};
  double cost = 1;      ///< in seconds or images: see `cost` and `TimeLeft`
  Factors factors{};    ///< names are equal for all jobs of an experiment
  bool scored = false;  ///< whether the trained network is scored at the end (`Job::score`)
};

/// Jobs that one worker does, one after another.
using Chain = std::vector<ExpectedJob>;

/// The jobs that one process can do by itself. No unit needs results of another.
struct Unit {
  std::string name;  ///< letters, digits and ._+=:-, no number: a word of command lines and part of file names
  Chain jobs{};
};

/// All units of an experiment.
using Plan = std::vector<Unit>;

/// Seconds until the last of `at_once` workers is done, if each free worker takes the next piece of work, in order.
/// `busy`: seconds that workers need for their present work; workers that are not listed are free.
///     makespan({3, 2, 1}, 2)    // 3
inline double makespan(const std::vector<double>& seconds, int at_once, std::vector<double> busy = {}) {
  busy.resize(std::max<std::size_t>(busy.size(), static_cast<std::size_t>(std::max(1, at_once))), 0);
  for (const double piece : seconds) {
    *std::min_element(busy.begin(), busy.end()) += piece;
  }
  return *std::max_element(busy.begin(), busy.end());
}

/// Default of the seconds that a process takes to start, before the jobs of its unit.
inline constexpr double seconds_to_start = 2;

/// Seconds that a process is expected to take for these jobs, its start included; 0 for no jobs. Costs are seconds.
inline double seconds_of(const Chain& jobs, double start = seconds_to_start) {
  return std::accumulate(jobs.begin(), jobs.end(), jobs.empty() ? 0 : start,
                         [](double sum, const ExpectedJob& job) { return sum + job.cost; });
}

/// Seconds that `workers` processes are expected to take for these chains of jobs, longest first.
inline double seconds_of(const std::vector<Chain>& chains, int workers) {
  std::vector<double> seconds;
  for (const Chain& jobs : chains) {
    seconds.push_back(seconds_of(jobs));
  }
  std::sort(seconds.rbegin(), seconds.rend());
  return makespan(seconds, workers);
}

/// The jobs of each unit.
inline std::vector<Chain> chains_of(const Plan& plan) {
  std::vector<Chain> chains;
  for (const Unit& unit : plan) {
    chains.push_back(unit.jobs);
  }
  return chains;
}

/// Seconds that `workers` processes are expected to take for a plan.
inline double seconds_of(const Plan& plan, int workers) {
  return seconds_of(chains_of(plan), workers);
}

/// The units sorted from longest to shortest, equal ones in their old order: short units at the end keep the other
/// workers waiting least.
inline Plan longest_first(Plan plan) {
  std::stable_sort(plan.begin(), plan.end(),
                   [](const Unit& a, const Unit& b) { return seconds_of(a.jobs) > seconds_of(b.jobs); });
  return plan;
}

}  // namespace regimen::inline v0::experiment
