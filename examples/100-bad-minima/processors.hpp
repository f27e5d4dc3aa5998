#pragma once
// No LibTorch.

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>

namespace detail {

/// Processors' worth of time that a control group grants, from one of its files; 0 where it sets no limit. Version 2
/// has "200000 100000" or "max 100000" in one file, version 1 the two numbers in two.
inline double granted(const std::string& quota_file, const std::string& period_file) {
  std::ifstream first(quota_file);
  double quota = 0;
  double period = 0;
  if (!(first >> quota) || quota <= 0) {
    return 0;
  }
  if (!(first >> period)) {
    std::ifstream second(period_file);
    second >> period;
  }
  return period > 0 ? quota / period : 0;
}

}  // namespace detail

/// Processors that this process may use, at least 1: those of its affinity mask, or fewer where the control group of a
/// container grants less. A container of two processors on a host of 64 shows all 64 to std::thread.
inline int processors() {
  int count = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
#if defined(__linux__)
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(0, sizeof mask, &mask) == 0) {
    count = std::max(1, CPU_COUNT(&mask));
  }
#endif
  const std::string root = "/sys/fs/cgroup/";
  for (const double limit : {detail::granted(root + "cpu.max", ""),
                             detail::granted(root + "cpu/cpu.cfs_quota_us", root + "cpu/cpu.cfs_period_us")}) {
    if (limit > 0) {
      count = std::min(count, std::max(1, static_cast<int>(std::ceil(limit))));
    }
  }
  return count;
}
