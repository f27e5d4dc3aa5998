#include <regimen/experiment/processors.hpp>

#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include "support/numbers.hpp"

using namespace regimen::experiment;

namespace {

/// A folder that looks like /sys/fs/cgroup, removed at the end.
class Groups {
 public:
  Groups() { std::filesystem::create_directories(root_); }
  ~Groups() { std::filesystem::remove_all(root_); }
  Groups(const Groups&) = delete;
  Groups& operator=(const Groups&) = delete;

  void write(const std::string& path, const std::string& content) const {
    const std::filesystem::path file = root_ + "/" + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << content;
  }
  [[nodiscard]] double granted(const std::string& membership) const { return granted_by_groups(membership, root_); }

 private:
  std::string root_ = "cgroups-" + std::to_string(::getpid());
};

}  // namespace

TEST_CASE("processors: version 2 limits by cpu.max, and \"max\" is no limit") {
  const Groups groups;
  CHECK(groups.granted("0::/\n") == 0);
  groups.write("cpu.max", "max 100000\n");
  CHECK(groups.granted("0::/\n") == 0);
  groups.write("cpu.max", "150000 100000\n");
  CHECK(groups.granted("0::/\n") == 1.5);
}

TEST_CASE("processors: version 2 limits a process by its own group and by each above") {
  const Groups groups;
  groups.write("system.slice/run.service/cpu.max", "200000 100000\n");
  CHECK(groups.granted("0::/system.slice/run.service\n") == 2);
  CHECK(groups.granted("0::/system.slice/other.service\n") == 0);
  groups.write("system.slice/cpu.max", "50000 100000\n");
  CHECK(groups.granted("0::/system.slice/run.service\n") == 0.5);
  CHECK(groups.granted("0::/system.slice/run.service/nested\n") == 0.5);
}

TEST_CASE("processors: version 1 limits by two files of the hierarchy with the processors") {
  const Groups groups;
  groups.write("cpu/cpu.cfs_quota_us", "-1\n");
  groups.write("cpu/cpu.cfs_period_us", "100000\n");
  const std::string membership = "5:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n3:cpuset:/\n";
  CHECK(groups.granted(membership) == 0);
  groups.write("cpu/docker/1/cpu.cfs_quota_us", "300000\n");
  groups.write("cpu/docker/1/cpu.cfs_period_us", "100000\n");
  CHECK(groups.granted(membership) == 3);
  CHECK(groups.granted("3:cpuset:/docker/1\n") == 0);
}

TEST_CASE("processors: there is always one") {
  CHECK(processors() >= 1);
}
