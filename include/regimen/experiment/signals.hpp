#pragma once
// No LibTorch.

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <map>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"

namespace regimen::inline v0::experiment {

/// The exception of a program that its user has stopped. Everything is on disk.
struct Interrupted : std::runtime_error {
  Interrupted() : std::runtime_error("interrupted; go on with --resume") {}
};

/// Throws Interrupted if a stop was requested.
inline void heed(const std::stop_token& stop) {
  if (stop.stop_requested()) {
    throw Interrupted();
  }
}

namespace detail {

/// Blocks signals in this thread, and in threads started by it, while the object lives.
class BlockedSignals {
 public:
  explicit BlockedSignals(const sigset_t& signals) { ::pthread_sigmask(SIG_BLOCK, &signals, &before_); }
  ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_{};
};

inline sigset_t set_of(const std::vector<int>& signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int each : signals) {
    regimen::detail::require(::sigaddset(&set, each) == 0 && each != SIGKILL && each != SIGSTOP, "StopSignals.signals",
                             "signals that can be waited for", each);
  }
  regimen::detail::require(!signals.empty(), "StopSignals.signals.size()", "at least 1", signals.size());
  return set;
}

inline sigset_t all_signals() {
  sigset_t set;
  ::sigfillset(&set);
  return set;
}

}  // namespace detail

/// A `std::stop_token` that signals trigger, without a handler and without a global. The first signal only requests a
/// stop. A repeated signal ends the process at once if it comes `patience` seconds or more after the first; an earlier
/// one is ignored (a terminal, a scheduler and the parent process may each send it).
///
/// The signals are blocked in the thread that makes the object and in all threads that are started while it lives; an
/// extra thread waits for them. So make it at the top of `main`, before there are other threads. The destructor, in the
/// thread that made the object, restores that thread's signal mask. Throws Error for no signals, or for one that cannot
/// be waited for.
///     const regimen::experiment::StopSignals signals;    // SIGINT and SIGTERM
///     regimen::run(net, phases, scoring, {.stop = signals.token()});
class StopSignals {
 public:
  explicit StopSignals(std::vector<int> signals = {SIGINT, SIGTERM}, double patience = 1)
      : set_(detail::set_of(signals)), patience_(patience), any_(signals.front()), blocked_(set_) {
    const detail::BlockedSignals none_in_the_waiter(detail::all_signals());
    waiter_ = std::thread([this] { wait(); });
  }

  ~StopSignals() {
    ending_ = true;
    // To the waiting thread alone: a signal that another process sends now stays pending.
    ::pthread_kill(waiter_.native_handle(), any_);
    waiter_.join();
  }

  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

 private:
  using WallClock = std::chrono::steady_clock;

  void wait() {
    std::map<int, WallClock::time_point> first;
    while (true) {
      int signal = 0;
      ::sigwait(&set_, &signal);
      if (ending_) {
        return;
      }
      const auto now = WallClock::now();
      const auto [seen, is_new] = first.emplace(signal, now);
      if (!is_new && std::chrono::duration<double>(now - seen->second).count() >= patience_) {
        end_by(signal);
      }
      stop_.request_stop();
    }
  }

  /// Ends this process by a signal, so that its parent sees the cause.
  static void end_by(int signal) {
    std::signal(signal, SIG_DFL);
    const sigset_t it = detail::set_of({signal});
    ::pthread_sigmask(SIG_UNBLOCK, &it, nullptr);
    ::pthread_kill(::pthread_self(), signal);
  }

  sigset_t set_;
  double patience_;
  int any_;
  std::stop_source stop_{};
  std::atomic<bool> ending_ = false;
  detail::BlockedSignals blocked_;
  std::thread waiter_{};
};

}  // namespace regimen::inline v0::experiment
