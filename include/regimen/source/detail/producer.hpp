#pragma once
// No LibTorch.

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <queue>
#include <thread>
#include <utility>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// Calls a function on a thread of its own, ahead of the consumer, which gets the results in order. At most `depth`
/// results wait. An exception of the function is rethrown to the consumer in its turn.
template <class T>
class Producer {
 public:
  /// `make` returns the next result; is_last(result) tells whether it is the last one.
  Producer(std::function<T()> make, std::function<bool(const T&)> is_last, std::size_t depth)
      : make_(std::move(make)), is_last_(std::move(is_last)), depth_(depth), thread_([this] { produce(); }) {}

  ~Producer() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  /// Waits for the next result. The last result, or an exception, is given again at each further call.
  T take() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return !ready_.empty() || failure_; });
    if (ready_.empty()) {
      std::rethrow_exception(failure_);
    }
    if (is_last_(ready_.front())) {
      return ready_.front();
    }
    T result = std::move(ready_.front());
    ready_.pop();
    lock.unlock();
    changed_.notify_all();
    return result;
  }

 private:
  void produce() {
    try {
      for (bool last = false; !last;) {
        T result = make_();
        last = is_last_(result);
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [this] { return ready_.size() < depth_ || stopped_; });
        if (stopped_) {
          return;
        }
        ready_.push(std::move(result));
        lock.unlock();
        changed_.notify_all();
      }
    } catch (...) {
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        failure_ = std::current_exception();
      }
      changed_.notify_all();
    }
  }

  std::function<T()> make_;
  std::function<bool(const T&)> is_last_;
  std::size_t depth_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::queue<T> ready_;
  std::exception_ptr failure_;
  bool stopped_ = false;
  std::thread thread_;  // last member: its thread uses all others
};

}  // namespace regimen::inline v0::detail
