#pragma once
// No LibTorch.

#include <string>

/// Processors' worth of time that the control groups of a process grant; 0 where none sets a limit.
///
/// `membership`: the text of /proc/self/cgroup, a line "hierarchy:controllers:path" for each hierarchy. `root`: where
/// the hierarchies are mounted. A group is granted no more than each of the groups that it lies in. Version 2 keeps the
/// limit in cpu.max ("200000 100000" or "max 100000"), version 1 in cpu.cfs_quota_us and cpu.cfs_period_us.
///     granted_by_groups("0::/system.slice/run.service", "/sys/fs/cgroup")    // 2 under `systemd-run -p CPUQuota=200%`
double granted_by_groups(const std::string& membership, const std::string& root);

/// Processors that this process may use, at least 1: those of its affinity mask, or fewer where its control groups
/// grant less. A container of two processors on a host of 64 shows all 64 to std::thread.
int processors();
