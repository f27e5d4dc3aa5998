#pragma once
// No LibTorch.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::experiment {

/// A `std::stop_token` that is stopped after so many seconds, or with another one.
///     const regimen::experiment::Deadline end(/*seconds=*/3300, signals.token());
///     regimen::run(net, phases, scoring, {.stop = end.token()});
class Deadline {
 public:
  explicit Deadline(double seconds, std::stop_token other = {})
      : with_other_(std::move(other), Request{&stop_}), waiter_([this, seconds](const std::stop_token& ending) {
          std::mutex mutex;
          std::unique_lock lock(mutex);
          std::condition_variable_any clock;
          clock.wait_for(lock, ending, std::chrono::duration<double>(seconds), [] { return false; });
          if (!ending.stop_requested()) {
            stop_.request_stop();
          }
        }) {}

  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

 private:
  struct Request {
    std::stop_source* source;
    void operator()() const { source->request_stop(); }
  };

  std::stop_source stop_{};
  std::stop_callback<Request> with_other_;
  std::jthread waiter_;
};

}  // namespace regimen::inline v0::experiment
