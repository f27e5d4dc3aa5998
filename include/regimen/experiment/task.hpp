#pragma once
// No LibTorch.

#include <stop_token>
#include <string>
#include <vector>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::experiment {

/// What a program of many units is to do with its settings. No field changes a result but the budget, which may make
/// the experiment smaller.
struct Task {
  bool resume = false;
  bool quiet = false;
  bool list = false;     ///< print the units, one a line
  bool collect = false;  ///< make tables and pictures of what is there
  std::string unit{};    ///< the only one to train; empty: all
  double budget = -1;    ///< seconds; 0: no limit; negative: not given, and the program's own
  bool must_fit = true;  ///< whether a budget that is too small is an error; else the smallest experiment is trained

  // Of a process that was started by another one of this program.
  bool worker = false;               ///< tells what it does on stdout, a line each
  bool pace = false;                 ///< measures how fast it trains, tells that, and ends
  std::vector<std::string> words{};  ///< the command line, for workers to be told the same

  std::stop_token stop{};  ///< ends the program early; everything stays on disk
};

}  // namespace regimen::inline v0::experiment
