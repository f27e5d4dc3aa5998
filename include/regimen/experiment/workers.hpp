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
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/text_list.hpp"
#include "regimen/experiment/command.hpp"
#include "regimen/experiment/detail/process.hpp"

namespace regimen::inline v0::experiment {

/// The next process to run, asked for when it can begin; nullopt if there is none. Then it is asked again only after
/// `Overseer::takes_back`.
using NextCommand = std::function<std::optional<Command>()>;

/// Callbacks of `run_side_by_side`. Every field may be left out.
struct Overseer {
  std::function<void(const std::string& name)> started{};
  std::function<void(const std::string& name, const std::string& line)> heard{};  ///< each line that a process prints
  std::function<void(const std::string& name)> succeeded{};                       ///< called once a process has ended
  /// The stderr of a process that succeeded; without a function it is printed to stderr.
  std::function<void(const std::string& name, const std::string& errors)> complained{};
  std::function<void()> waiting{};  ///< called about five times a second, and after every line
  std::function<bool()> stop{};     ///< called as often; true: all processes are to end
  /// Whether a process that fails leaves the others to go on. They end, too, if so many fail before one succeeds that
  /// the fault seems to be that of all.
  bool keep_going = false;
  /// Asked about a process that was killed: true if `NextCommand` hands its work out again, and it counts as no
  /// failure.
  std::function<bool(const std::string& name)> takes_back{};
};

namespace detail {

/// The running processes, and the commands that wait.
class Pool {
 public:
  Pool(NextCommand next, int at_once, const Overseer& overseer)
      : next_(std::move(next)), at_once_(static_cast<std::size_t>(std::max(1, at_once))), overseer_(overseer) {}

  bool run() {
    // A program may be started with SIGCHLD ignored (`trap '' CHLD`); its children then leave no status to ask for.
    ::signal(SIGCHLD, SIG_DFL);
    while (true) {
      heed_stop();
      while (!ending_ && !at_end_ && running_.size() < at_once_) {
        start_next();
      }
      if (running_.empty()) {
        break;
      }
      wait_for_news();
      listen();
      if (overseer_.waiting) {
        overseer_.waiting();
      }
    }
    if (!failure_.empty() && stopped_ && overseer_.keep_going) {
      std::fprintf(stderr, "%s\n", failure_.c_str());  // what was stopped can go on, and then fails again
    } else if (!failure_.empty()) {
      throw Error(failure_);
    }
    return !stopped_;
  }

 private:
  void start_next() {
    const std::optional<Command> command = next_();
    if (!command) {
      at_end_ = true;
      return;
    }
    const Pipe out = make_pipe();
    running_.emplace_back(*command, out, make_pipe());
    if (overseer_.started) {
      overseer_.started(command->name);
    }
  }

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
      any_succeeded_ = true;
      if (!errors.empty() && overseer_.complained) {
        overseer_.complained(process.name(), errors);
      } else if (!errors.empty()) {
        std::fprintf(stderr, "%s: %s\n", process.name().c_str(), errors.c_str());
      }
      if (overseer_.succeeded) {
        overseer_.succeeded(process.name());
      }
    } else if (!ending_) {
      // The stderr of a killed process does not show that it was killed.
      const bool killed = process.killed_by() != 0;
      if (killed && overseer_.takes_back && overseer_.takes_back(process.name())) {
        at_end_ = false;
        return;
      }
      ++failed_;
      const std::string why = errors.empty() ? wrong : killed ? wrong + "\n" + errors : errors;
      regimen::detail::add_item(failure_, process.name() + ": " + why, "\n");
      if (!overseer_.keep_going || (!any_succeeded_ && failed_ >= at_once_ + 2)) {
        end_all();
      }
    }
  }

  NextCommand next_;
  std::size_t at_once_;
  const Overseer& overseer_;
  std::list<Process> running_;
  bool at_end_ = false;   ///< whether there is no further command
  bool ending_ = false;   ///< whether those that run were asked to end
  bool stopped_ = false;  ///< whether `Overseer::stop` was true
  bool any_succeeded_ = false;
  std::size_t failed_ = 0;
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
  auto next = commands.begin();
  return detail::Pool([&] { return next == commands.end() ? std::nullopt : std::optional(*next++); }, at_once, overseer)
      .run();
}

/// The same with commands that are made when their turn comes.
inline bool run_in_turn(const NextCommand& next, int at_once, const Overseer& overseer = {}) {
  return detail::Pool(next, at_once, overseer).run();
}

}  // namespace regimen::inline v0::experiment
