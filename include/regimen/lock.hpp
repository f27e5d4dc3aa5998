#pragma once
// No LibTorch.

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "regimen/detail/file.hpp"

namespace regimen::inline v0 {

/// Holds a file name for one process, or one object, at a time: two runs that wrote to one place would each undo what
/// the other did. The system lets go when the process ends, however it does; the file is removed when the lock goes.
/// Throws Error if somebody else holds it, or if the file cannot be made. Not for network file systems without flock.
///     const regimen::Lock mine("results/lock");
class Lock {
 public:
  explicit Lock(std::string path) : path_(std::move(path)) {
    detail::make_folder_of(path_);
    while (!take()) {}
  }

  ~Lock() {
    ::unlink(path_.c_str());
    ::close(file_);
  }

  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  /// False where its holder removed the file between our opening it and our holding it.
  bool take() {
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file_ < 0) {
      detail::file_error("cannot make", path_);
    }
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
      const int why = errno;
      ::close(file_);
      errno = why;
      if (why == EWOULDBLOCK) {
        throw Error("another run holds " + path_ + ": two would overwrite each other's files");
      }
      detail::file_error("cannot lock", path_);
    }
    struct stat held{};
    struct stat named{};
    const bool same = ::fstat(file_, &held) == 0 && ::stat(path_.c_str(), &named) == 0 && held.st_ino == named.st_ino;
    if (!same) {
      ::close(file_);
    }
    return same;
  }

  std::string path_;
  int file_ = -1;
};

}  // namespace regimen::inline v0
