#pragma once
// No LibTorch.

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <list>
#include <string>
#include <thread>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/experiment/command.hpp"
#include "regimen/experiment/detail/process.hpp"

namespace regimen::inline v0::experiment {

/// Callbacks of `run_side_by_side`. Every field may be left out.
struct Overseer {
  std::function<void(const std::string& name)> started{};
  std::function<void(const std::string& name, const std::string& line)> heard{};  ///< each line that a process prints
  /// The stderr of a process that succeeded; without a function it is printed to stderr.
  std::function<void(const std::string& name, const std::string& errors)> complained{};
  std::function<void()> waiting{};  ///< called about five times a second, and after every line
  std::function<bool()> stop{};     ///< called as often; true: all processes are to end
  bool keep_going = false;          ///< whether a process that fails leaves the others to go on
};

namespace detail {

/// The running processes, and the commands that wait.
class Pool {
 public:
  Pool(const std::vector<Command>& commands, int at_once, const Overseer& overseer)
      : commands_(commands), at_once_(static_cast<std::size_t>(std::max(1, at_once))), overseer_(overseer) {}

  bool run() {
    // A program may be started with SIGCHLD ignored (`trap '' CHLD`); its children then leave no status to ask for.
    ::signal(SIGCHLD, SIG_DFL);
    while (!running_.empty() || (next_ < commands_.size() && !ending_)) {
      heed_stop();
      while (!ending_ && running_.size() < at_once_ && next_ < commands_.size()) {
        const Pipe out = make_pipe();
        running_.emplace_back(commands_[next_++], out, make_pipe());
        if (overseer_.started) {
          overseer_.started(running_.back().name());
        }
      }
      wait_for_news();
      listen();
      if (overseer_.waiting) {
        overseer_.waiting();
      }
    }
    if (!failure_.empty()) {
      throw Error(failure_);
    }
    return !stopped_;
  }

 private:
  void heed_stop() {
    if (!ending_ && overseer_.stop && overseer_.stop()) {
      stopped_ = true;
      end_all();
    }
  }

  /// The Ctrl-C that asks this process to stop may have ended its children too, and the thread that waits for signals
  /// here (`StopSignals`) may hear of it later than this one hears of their end. No other child is listened to
  /// meanwhile.
  void heed_stop_after(const Process& child) {
    const auto begin = std::chrono::steady_clock::now();
    heed_stop();
    while (child.ended_by_request() && !ending_ && std::chrono::steady_clock::now() - begin < std::chrono::seconds(1)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      heed_stop();
    }
  }

  void end_all() {
    ending_ = true;
    for (const Process& process : running_) {
      process.ask_to_end();
    }
  }

  void wait_for_news() const {
    std::vector<pollfd> files;
    for (const Process& process : running_) {
      for (const pollfd& file : process.files()) {
        files.push_back(file);  // a closed file is -1, which poll ignores
      }
    }
    ::poll(files.data(), files.size(), 200);
  }

  void listen() {
    for (auto process = running_.begin(); process != running_.end();) {
      for (const std::string& line : process->lines()) {
        if (overseer_.heard) {
          overseer_.heard(process->name(), line);
        }
      }
      if (!process->silent()) {
        ++process;
        continue;
      }
      judge(*process);
      process = running_.erase(process);
    }
  }

  void judge(Process& process) {
    const std::string wrong = process.wait();
    const std::string errors = process.errors();
    if (!wrong.empty()) {
      heed_stop_after(process);
    }
    if (wrong.empty()) {
      if (!errors.empty() && overseer_.complained) {
        overseer_.complained(process.name(), errors);
      } else if (!errors.empty()) {
        std::fprintf(stderr, "%s: %s\n", process.name().c_str(), errors.c_str());
      }
    } else if (!ending_) {
      // The stderr of a killed process does not show that it was killed.
      const bool killed = process.killed_by() != 0;
      failure_ += (failure_.empty() ? "" : "\n") + process.name() + ": " +
                  (errors.empty() ? wrong
                   : killed       ? wrong + "\n" + errors
                                  : errors);
      if (!overseer_.keep_going) {
        end_all();
      }
    }
  }

  const std::vector<Command>& commands_;
  std::size_t at_once_;
  const Overseer& overseer_;
  std::list<Process> running_;
  std::size_t next_ = 0;
  bool ending_ = false;   ///< whether no more processes are started
  bool stopped_ = false;  ///< whether `Overseer::stop` was true
  std::string failure_;
};

}  // namespace detail

/// Runs the commands as processes, in their order, at most `at_once` of them at a time. Returns true when all have
/// ended with status 0, and false if `stop` was true: then each was sent SIGTERM, and has ended.
/// A process killed by the same Ctrl-C does not count as failed.
///
/// Throws Error for the first process that fails, with its name and its stderr, after the others were sent SIGTERM and
/// have ended; with `keep_going` for all that fail, at the end. No process is left behind: an exception of a callback
/// kills them, and on Linux the death of this process does, too.
///     run_side_by_side({{"one", "echo", {"echo", "1"}}, {"two", "echo", {"echo", "2"}}}, 2, {.heard = print});
inline bool run_side_by_side(const std::vector<Command>& commands, int at_once, const Overseer& overseer = {}) {
  return detail::Pool(commands, at_once, overseer).run();
}

}  // namespace regimen::inline v0::experiment
