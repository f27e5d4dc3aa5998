#pragma once
// No LibTorch.

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "regimen/base/file.hpp"

namespace regimen::inline v0 {

/// A lock on a file name, held by one process, or one object, at a time: two runs that write to one folder would
/// overwrite each other's files. The system releases it when the process ends in any way; the destructor also removes
/// the file. Does not work on network file systems without flock. A moved-from lock holds nothing.
///     const regimen::Lock mine("results/lock");
///     if (const auto unit = regimen::Lock::try_take("results/locks/unit-3")) { ... }
class Lock {
 public:
  /// Takes the lock. Throws Error if another process or object holds it, or if the file cannot be made.
  explicit Lock(std::string path) {
    std::optional<Lock> taken = try_take(path);
    if (!taken) {
      throw Error("another run holds " + path + ": two would overwrite each other's files");
    }
    *this = std::move(*taken);
  }

  /// Takes the lock, or returns nullopt if another process or object holds it. Throws Error if the file cannot be made.
  [[nodiscard]] static std::optional<Lock> try_take(std::string path) {
    detail::make_folder_of(path);
    Lock lock;
    lock.path_ = std::move(path);
    Attempt attempt = lock.attempt();
    while (attempt == Attempt::removed) {
      attempt = lock.attempt();
    }
    if (attempt == Attempt::held) {
      return std::nullopt;
    }
    return lock;
  }

  Lock(Lock&& other) noexcept : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)) {}

  Lock& operator=(Lock&& other) noexcept {
    Lock taken(std::move(other));
    std::swap(path_, taken.path_);
    std::swap(file_, taken.file_);
    return *this;
  }

  ~Lock() {
    if (file_ >= 0) {
      ::unlink(path_.c_str());
      ::close(file_);
    }
  }

  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  enum class Attempt {
    taken,
    held,     ///< another process or object holds it
    removed,  ///< the former holder removed the file between our `open` and our `flock`
  };

  Lock() = default;

  Attempt attempt() {
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file_ < 0) {
      detail::file_error("cannot make", path_);
    }
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
      const int why = errno;
      close();
      if (why == EWOULDBLOCK) {
        return Attempt::held;
      }
      errno = why;
      detail::file_error("cannot lock", path_);
    }
    struct stat held{};
    struct stat named{};
    const bool same = ::fstat(file_, &held) == 0 && ::stat(path_.c_str(), &named) == 0 && held.st_ino == named.st_ino;
    if (!same) {
      close();
    }
    return same ? Attempt::taken : Attempt::removed;
  }

  /// Closes the file without removing it, as it belongs to another holder.
  void close() {
    ::close(file_);
    file_ = -1;
  }

  std::string path_;
  int file_ = -1;
};

}  // namespace regimen::inline v0
