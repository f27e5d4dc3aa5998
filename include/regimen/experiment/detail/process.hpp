#pragma once
// No LibTorch.

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
#endif

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/experiment/command.hpp"

namespace regimen::inline v0::experiment::detail {

[[noreturn]] inline void system_error(const std::string& what) {
  throw Error(what + ": " + std::strerror(errno));
}

/// The reading end of a pipe, read without waiting.
class Reader {
 public:
  explicit Reader(int file) : file_(file) {}
  ~Reader() { close(); }
  Reader(Reader&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  Reader& operator=(Reader&&) = delete;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  [[nodiscard]] int file() const { return file_; }
  [[nodiscard]] bool open() const { return file_ >= 0; }

  /// The bytes that are available now. Closes the pipe at its end.
  std::string read() {
    std::string text;
    std::array<char, 4096> part;
    while (open()) {
      const ssize_t got = ::read(file_, part.data(), part.size());
      if (got > 0) {
        text.append(part.data(), static_cast<std::size_t>(got));
      } else if (got < 0 && errno == EINTR) {
        continue;
      } else if (got < 0 && errno == EAGAIN) {
        break;
      } else {
        close();
      }
    }
    return text;
  }

 private:
  void close() {
    if (open()) {
      ::close(std::exchange(file_, -1));
    }
  }

  int file_;
};

struct Pipe {
  int in = -1;   ///< file descriptor to read from
  int out = -1;  ///< file descriptor to write to
};

inline Pipe make_pipe() {
  // O_CLOEXEC: an end that the next process inherits would keep this pipe open after its own process has ended.
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    system_error("cannot make a pipe");
  }
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return {ends[0], ends[1]};
}

/// A child process. The destructor kills a process that has not ended.
class Process {
 public:
  Process(const Command& command, const Pipe& out, const Pipe& err)
      : name_(command.name), out_(out.in), err_(err.in), id_(start(command, out.out, err.out)) {
    ::close(out.out);
    ::close(err.out);
    if (id_ < 0) {
      system_error("cannot start " + name_);
    }
  }

  ~Process() {
    if (id_ > 0) {
      signal(SIGKILL);
      wait();
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::array<pollfd, 2> files() const {
    return {pollfd{out_.file(), POLLIN, 0}, pollfd{err_.file(), POLLIN, 0}};
  }

  /// Sends SIGTERM, unless the process has ended.
  void ask_to_end() const { signal(SIGTERM); }

  /// Whole lines printed since the last call; after the end of output also the unfinished line.
  std::vector<std::string> lines() {
    line_ += out_.read();
    errors_ += err_.read();
    std::vector<std::string> whole;
    for (std::size_t end = line_.find('\n'); end != std::string::npos; end = line_.find('\n')) {
      whole.push_back(line_.substr(0, end));
      line_.erase(0, end + 1);
    }
    if (!out_.open() && !line_.empty()) {
      whole.push_back(std::exchange(line_, {}));
    }
    return whole;
  }

  [[nodiscard]] bool silent() const { return !out_.open() && !err_.open(); }

  /// The text written to stderr, without white space around it.
  [[nodiscard]] std::string errors() const {
    const char* const space = " \n\r\t";
    const std::size_t first = errors_.find_first_not_of(space);
    return first == std::string::npos ? "" : errors_.substr(first, errors_.find_last_not_of(space) - first + 1);
  }

  /// Waits for the process to end. Returns what went wrong, empty if nothing did.
  std::string wait() {
    int status = 0;
    pid_t waited = -1;
    do {
      waited = ::waitpid(id_, &status, 0);
    } while (waited < 0 && errno == EINTR);
    id_ = -1;
    if (waited < 0) {
      return std::string("nobody knows how it ended: ") + std::strerror(errno);
    }
    if (WIFSIGNALED(status)) {
      killed_by_ = WTERMSIG(status);
      return "ended by signal " + std::to_string(killed_by_) +
             (killed_by_ == SIGKILL
                  ? ": killed, perhaps for lack of memory. Take fewer --workers, and go on with --resume"
                  : "");
    }
    status_ = WEXITSTATUS(status);
    return status_ == 0 ? "" : "ended with status " + std::to_string(status_);
  }

  /// The signal that ended the process; 0 before its end was waited for, and where it ended by itself.
  [[nodiscard]] int killed_by() const { return killed_by_; }

  /// Whether SIGINT or SIGTERM ended it, or it says so by its status, 128 + signal, as a shell does.
  [[nodiscard]] bool ended_by_request() const {
    return killed_by_ == SIGINT || killed_by_ == SIGTERM || status_ == 128 + SIGINT || status_ == 128 + SIGTERM;
  }

 private:
  void signal(int what) const {
    // The id of a process whose end was waited for is -1, and kill(-1) would signal every process there is.
    if (id_ > 0) {
      ::kill(id_, what);
    }
  }

  static pid_t start(const Command& command, int out, int err) {
    // Between fork and exec a process with threads may do no more than system calls: all else is made before.
    std::vector<char*> words;
    for (const std::string& word : command.words) {
      words.push_back(const_cast<char*>(word.c_str()));
    }
    words.push_back(nullptr);
    const pid_t parent = ::getpid();
    // A signal before exec could run this program's handler and be lost: all are blocked until handlers are reset.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t child = ::fork();
    if (child == 0) {
      for (const int each : {SIGINT, SIGTERM}) {
        ::signal(each, SIG_DFL);
        ::sigdelset(&before, each);  // blocked by a StopSignals of the parent, which the child lacks
      }
      ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
#if defined(__linux__)
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
      // Another parent: ours died before prctl could take effect.
      if (::getppid() == parent && (command.folder.empty() || ::chdir(command.folder.c_str()) == 0)) {
        ::dup2(out, STDOUT_FILENO);
        ::dup2(err, STDERR_FILENO);
        ::execvp(command.program.c_str(), words.data());
      }
      ::_exit(127);
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return child;
  }

  std::string name_;
  Reader out_;
  Reader err_;
  pid_t id_;
  int killed_by_ = 0;
  int status_ = 0;
  std::string line_;  ///< last line, still without its end
  std::string errors_;
};

}  // namespace regimen::inline v0::experiment::detail
