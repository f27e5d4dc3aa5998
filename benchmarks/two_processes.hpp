#pragma once

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "measure.hpp"

/// Two processes that do jobs at the same time. Make them before LibTorch has threads, which a fork would lose.
template <class Job>
class TwoProcesses {
  static_assert(std::is_trivially_copyable_v<Job>);

 public:
  explicit TwoProcesses(void (*work)(const Job&)) {
    for (std::size_t i = 0; i < processes_.size(); ++i) {
      std::array<int, 2> ends{};
      if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) {
        throw std::runtime_error("no socket pair");
      }
      processes_[i] = {.id = ::fork(), .socket = ends[0]};
      if (processes_[i].id == 0) {
        for (std::size_t k = 0; k <= i; ++k) {
          ::close(processes_[k].socket);  // else the other process never sees its end
        }
        work_along(ends[1], work);
      }
      ::close(ends[1]);
    }
  }
  ~TwoProcesses() {
    for (const Process& process : processes_) {
      ::close(process.socket);
      ::waitpid(process.id, nullptr, 0);
    }
  }
  TwoProcesses(const TwoProcesses&) = delete;
  TwoProcesses& operator=(const TwoProcesses&) = delete;

  /// Seconds until all jobs are done, each in a process of its own; one or two.
  double seconds(const std::vector<Job>& jobs) const {
    return seconds_of([&] {
      for (std::size_t i = 0; i < jobs.size(); ++i) {
        require(::write(processes_.at(i).socket, &jobs[i], sizeof(Job)) == sizeof(Job));
      }
      for (std::size_t i = 0; i < jobs.size(); ++i) {
        char done = 0;
        require(::read(processes_.at(i).socket, &done, 1) == 1);
      }
    });
  }

 private:
  struct Process {
    pid_t id = 0;
    int socket = 0;
  };

  static void require(bool success) {
    if (!success) {
      throw std::runtime_error("a process of the benchmark has ended");
    }
  }

  [[noreturn]] static void work_along(int socket, void (*work)(const Job&)) {
    Job job;
    while (::read(socket, &job, sizeof job) == sizeof job) {
      work(job);
      const char done = 1;
      require(::write(socket, &done, 1) == 1);
    }
    ::_exit(0);
  }

  std::array<Process, 2> processes_{};
};
