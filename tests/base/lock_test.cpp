#include <regimen/base.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

#include "support/histories.hpp"
#include "support/numbers.hpp"

#include "support/folder.hpp"

namespace {

/// Whether another process can take the lock.
bool free_for_others(const std::string& path) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      const regimen::Lock lock(path);
      ::_exit(0);
    } catch (const regimen::Error&) {
      ::_exit(1);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("a lock is held by one at a time, in this process and among processes, and leaves nothing behind") {
  const Folder folder;
  const std::string path = folder / "deep/lock";
  {
    const regimen::Lock lock(path);
    CHECK(error_of([&] { const regimen::Lock second(path); }).find("another run holds " + path) == 0);
    CHECK_FALSE(free_for_others(path));
  }
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK(free_for_others(path));
  const regimen::Lock again(path);
}

TEST_CASE("the lock of a process that died is free, though its file is still there") {
  const Folder folder;
  const std::string path = folder / "deep/lock";
  const pid_t child = ::fork();
  if (child == 0) {
    const auto* const lock = new regimen::Lock(path);  // never let go
    static_cast<void>(lock);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  CHECK(std::filesystem::exists(path));
  const regimen::Lock lock(path);
}

TEST_CASE("a lock that is tried for is nothing while somebody else holds it") {
  const Folder folder;
  const std::string path = folder / "deep/lock";
  {
    const regimen::Lock held(path);
    CHECK_FALSE(regimen::Lock::try_take(path).has_value());
    CHECK_FALSE(regimen::Lock::try_take(path).has_value());
    CHECK(std::filesystem::exists(path));  // whoever was refused removes nothing
    CHECK_FALSE(free_for_others(path));
  }
  const std::optional<regimen::Lock> taken = regimen::Lock::try_take(path);
  REQUIRE(taken.has_value());
  CHECK_FALSE(free_for_others(path));
}

TEST_CASE("a lock can be handed on, and is held all the while") {
  const Folder folder;
  const std::string path = folder / "deep/lock";
  std::optional<regimen::Lock> keeper;
  {
    regimen::Lock lock(path);
    keeper = std::move(lock);
  }
  const std::string other = path + "-other";
  keeper = regimen::Lock(other);  // which lets the first one go
  CHECK(free_for_others(path));
  CHECK_FALSE(free_for_others(other));
  keeper = regimen::Lock(path);
  CHECK_FALSE(std::filesystem::exists(other));
  CHECK_FALSE(free_for_others(path));
  {
    const regimen::Lock last = std::move(*keeper);
    keeper.reset();  // holds nothing any more
    CHECK(std::filesystem::exists(path));
    CHECK_FALSE(free_for_others(path));
  }
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK(free_for_others(path));
}

TEST_CASE("a lock that cannot be made says why, tried for or not") {
  CHECK(error_of([] { (void)regimen::Lock::try_take("/proc/no/lock"); }).find("/proc/no") != std::string::npos);
  CHECK(error_of([] { const regimen::Lock lock("/proc/no/lock"); }).find("/proc/no") != std::string::npos);
}
