#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include <regimen/experiment/signals.hpp>

#include "support/numbers.hpp"

namespace ex = regimen::experiment;

namespace {

/// Whether a stop is requested within a second.
bool stops_soon(const std::stop_token& stop) {
  for (int i = 0; i < 100 && !stop.stop_requested(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return stop.stop_requested();
}

bool is_blocked(int signal) {
  sigset_t now;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &now);
  return ::sigismember(&now, signal) == 1;
}

/// How a process ends that runs this.
int status_of(const auto& what) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    for (const int each : {SIGINT, SIGTERM}) {
      std::signal(each, SIG_DFL);  // Catch2 has handlers of its own
    }
    what();
    ::_exit(0);
  }
  int status = -1;
  CHECK(::waitpid(child, &status, 0) == child);
  return status;
}

}  // namespace

TEST_CASE("signals: SIGINT and SIGTERM request a stop within a second") {
  for (const int signal : {SIGINT, SIGTERM}) {
    const ex::StopSignals signals;
    CHECK_FALSE(signals.token().stop_requested());
    CHECK_NOTHROW(ex::heed(signals.token()));
    ::kill(::getpid(), signal);
    CHECK(stops_soon(signals.token()));
    CHECK_THROWS_AS(ex::heed(signals.token()), ex::Interrupted);
  }
}

TEST_CASE("signals: threads that are started meanwhile are not ended either") {
  const ex::StopSignals signals;
  std::thread([&] {
    CHECK(is_blocked(SIGTERM));
    ::kill(::getpid(), SIGTERM);
  }).join();
  CHECK(stops_soon(signals.token()));
}

TEST_CASE("signals: one that comes at once again says nothing new") {
  CHECK(status_of([] {
          const ex::StopSignals signals;
          ::kill(::getpid(), SIGTERM);
          if (!stops_soon(signals.token())) {
            ::_exit(1);
          }
          ::kill(::getpid(), SIGTERM);
          ::kill(::getpid(), SIGINT);
          std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }) == 0);
}

TEST_CASE("signals: one that comes again later ends the process, by that signal") {
  const int status = status_of([] {
    const ex::StopSignals signals({SIGINT, SIGTERM}, 0.05);
    ::kill(::getpid(), SIGTERM);
    if (!stops_soon(signals.token())) {
      ::_exit(1);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    ::kill(::getpid(), SIGTERM);
    std::this_thread::sleep_for(std::chrono::seconds(5));
  });
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGTERM);
}

TEST_CASE("signals: another one is not a second one") {
  // Ctrl-C reaches a worker, and a moment later its parent asks it to end.
  CHECK(status_of([] {
          const ex::StopSignals signals({SIGINT, SIGTERM}, 0);
          ::kill(::getpid(), SIGINT);
          std::this_thread::sleep_for(std::chrono::milliseconds(100));
          ::kill(::getpid(), SIGTERM);
          std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }) == 0);
}

TEST_CASE("signals: the mask is what it was, and signals end the process again") {
  CHECK_FALSE(is_blocked(SIGUSR1));
  {
    const ex::StopSignals signals({SIGUSR1});
    CHECK(is_blocked(SIGUSR1));
    CHECK_FALSE(is_blocked(SIGINT));
  }
  CHECK_FALSE(is_blocked(SIGUSR1));
  const int status = status_of([] {
    { const ex::StopSignals signals; }
    ::kill(::getpid(), SIGTERM);
    std::this_thread::sleep_for(std::chrono::seconds(5));
  });
  CHECK(WIFSIGNALED(status));
}

TEST_CASE("signals: what cannot be waited for is an error") {
  CHECK_THROWS_WITH(ex::StopSignals({SIGKILL}), "StopSignals.signals must be signals that can be waited for, but is 9");
  CHECK_THROWS_AS(ex::StopSignals({-1}), regimen::Error);
  CHECK_THROWS_AS(ex::StopSignals(std::vector<int>{}), regimen::Error);
  CHECK_FALSE(is_blocked(SIGINT));
}
