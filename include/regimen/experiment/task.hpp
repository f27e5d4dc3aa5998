#pragma once
// No LibTorch.

#include <stop_token>
#include <string>
#include <vector>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::experiment {

/// How the units of an experiment are printed (`list_of`).
enum class UnitList { none, names, json, tsv };

/// The work that a program of many units is asked to do. The budget is the only field that can change a result: it may
/// make the experiment smaller.
struct Task {
  bool resume = false;
  bool quiet = false;
  UnitList list = UnitList::none;  ///< print the units
  bool collect = false;            ///< make tables and pictures of the finished jobs
  std::string from{};  ///< make tables and pictures of the tables in this folder alone (`read_published`); empty: no
  std::string unit{};  ///< the only unit to train, or units (`chosen`), which go on if they were begun; empty: all
  int pack = 1;        ///< units of an index in `unit`, side by side
  int requeue_status = 85;  ///< exit status for a unit that was stopped: HTCondor restarts at 85, Grid Engine at 99
  double budget = -1;       ///< seconds; 0: no limit; negative: the program's default. With `unit`: until it is stopped
  bool must_fit = true;     ///< whether a budget that is too small is an error; else the smallest experiment is trained

  // For a worker: a process that this program has started.
  bool worker = false;               ///< report jobs on stdout by `JobLine`s
  bool pace = false;                 ///< measure the pace, print it, and end
  std::vector<std::string> words{};  ///< the command line, for workers, too

  std::stop_token stop{};  ///< ends the program early; everything stays on disk

  /// Whether nothing is asked for but the list of the units.
  [[nodiscard]] bool lists() const { return list != UnitList::none; }
};

}  // namespace regimen::inline v0::experiment
