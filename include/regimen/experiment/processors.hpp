#pragma once
// No LibTorch.

#if defined(__linux__)
#include <sched.h>
#endif

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "regimen/experiment/files.hpp"

namespace regimen::inline v0::experiment {

namespace detail {

/// The processor limit of one control group, from its file or, in version 1, two files; 0: no limit.
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

/// The smaller of two limits, where 0 is no limit.
inline double tighter(double a, double b) {
  return a > 0 && b > 0 ? std::min(a, b) : std::max(a, b);
}

/// The tightest limit from the group at `path` up to the root. In a container the path may be the host's, which is not
/// mounted: then only the root's limit is found.
inline double granted_up_from(const std::string& mount, std::string path, bool version_2) {
  double limit = 0;
  while (true) {
    const std::string folder = mount + (path == "/" ? "" : path);
    limit = tighter(limit, version_2 ? granted(folder + "/cpu.max", "")
                                     : granted(folder + "/cpu.cfs_quota_us", folder + "/cpu.cfs_period_us"));
    if (path.empty() || path == "/") {
      return limit;
    }
    path.erase(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
}

inline bool has_cpu(const std::string& controllers) {
  return ("," + controllers + ",").find(",cpu,") != std::string::npos;
}

}  // namespace detail

/// The number of processors, in fractions, that the control groups of a process grant; 0 where none sets a limit.
///
/// `membership`: the text of /proc/self/cgroup, a line "hierarchy:controllers:path" for each hierarchy. `root`: where
/// the hierarchies are mounted. A group is granted no more than each of the groups that it lies in. Version 2 keeps the
/// limit in cpu.max ("200000 100000" or "max 100000"), version 1 in cpu.cfs_quota_us and cpu.cfs_period_us.
///     granted_by_groups("0::/system.slice/run.service", "/sys/fs/cgroup")    // 2 under `systemd-run -p CPUQuota=200%`
inline double granted_by_groups(const std::string& membership, const std::string& root) {
  double limit = 0;
  std::istringstream lines(membership);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream parts(line);
    std::string hierarchy;
    std::string controllers;
    std::string path;
    std::getline(parts, hierarchy, ':');
    std::getline(parts, controllers, ':');
    std::getline(parts, path);
    if (controllers.empty()) {
      limit = detail::tighter(limit, detail::granted_up_from(root, path, true));
    } else if (detail::has_cpu(controllers)) {
      limit = detail::tighter(limit, detail::granted_up_from(root + "/cpu", path, false));
    }
  }
  return limit;
}

/// The number of processors that this process may use, at least 1: those of its affinity mask, or fewer if its control
/// groups grant less. In a container of 2 processors on a host of 64, std::thread reports 64.
inline int processors() {
  int count = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
#if defined(__linux__)
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(0, sizeof mask, &mask) == 0) {
    count = std::max(1, CPU_COUNT(&mask));
  }
#endif
  const double limit = granted_by_groups(read_file("/proc/self/cgroup"), "/sys/fs/cgroup");
  return limit > 0 ? std::min(count, std::max(1, static_cast<int>(std::ceil(limit)))) : count;
}

}  // namespace regimen::inline v0::experiment
