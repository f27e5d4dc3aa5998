#pragma once
// No LibTorch.

#include <string>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::experiment {

/// Options of `conduct`.
struct Conduct {
  int workers = 1;                ///< processes at a time; from 2 on by `do_side_by_side`
  int threads = 1;                ///< of each process
  std::string prefix{};           ///< common start of the jobs' names, left out on the terminal
  bool ends_by_itself = false;    ///< whether phases may end earlier than planned
  bool always_estimates = false;  ///< whether a quiet task prints the expected time, too
};

}  // namespace regimen::inline v0::experiment
