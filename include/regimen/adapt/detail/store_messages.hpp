#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "regimen/adapt/detail/meet.hpp"
#include "regimen/adapt/detail/process_id.hpp"
#include "regimen/base/error.hpp"

namespace regimen::inline v0::detail {

/// Messages between processes that go through a store, for a LibTorch whose Gloo has no headers, as PyPI's: slower, for
/// all of them pass process 0. No connection breaks when a process is killed; those on its own machine look for it.
class StoreMessages {
 public:
  StoreMessages(c10::intrusive_ptr<c10d::Store> store, int rank, int size, std::chrono::milliseconds timeout)
      : store_(std::move(store)), rank_(rank), size_(size), timeout_(timeout) {
    put(*store_, "process/" + text(rank), own_process_id());
  }

  /// Fills row r of `all` with the bytes of process r.
  void all_gather(const at::Tensor& all, const at::Tensor& mine) {
    send(own_key(), mine);
    for (int other = 0; other < size_; ++other) {
      receive(key(other), all, other);
    }
    next();
  }

  /// Fills row r of `out` with row `rank` of the `in` of process r.
  void exchange(const at::Tensor& out, const at::Tensor& in) {
    const std::int64_t length = in.numel() / size_;
    for (int other = 0; other < size_; ++other) {
      send(own_key() + "/" + text(other), in.narrow(0, other * length, length));
    }
    for (int other = 0; other < size_; ++other) {
      receive(key(other) + "/" + text(rank_), out, other);
    }
    next();
  }

 private:
  [[nodiscard]] std::string key(int rank) const { return "message/" + text(number_) + "/" + text(rank); }
  [[nodiscard]] std::string own_key() const { return key(rank_); }

  /// A store refuses values above 8 MiB, so that a message has parts.
  static constexpr std::int64_t most = std::int64_t{4} << 20U;

  void send(const std::string& key, const at::Tensor& bytes) {
    const auto* const begin = bytes.data_ptr<std::uint8_t>();
    for (std::int64_t from = 0; from < bytes.numel(); from += most) {
      const std::string part = key + "/" + text(from / most);
      store_->set(part, std::vector<std::uint8_t>(begin + from, begin + std::min(from + most, bytes.numel())));
      sent_.push_back(part);
    }
  }

  void receive(const std::string& key, const at::Tensor& all, int from) {
    const std::int64_t length = all.numel() / size_;
    for (std::int64_t begin = 0; begin < length; begin += most) {
      const std::string part = key + "/" + text(begin / most);
      wait_for(part, from);
      const std::vector<std::uint8_t> bytes = store_->get(part);
      const std::int64_t wanted = std::min(most, length - begin);
      require(static_cast<std::int64_t>(bytes.size()) == wanted, "a message of process " + text(from),
              text(wanted) + " bytes", bytes.size());
      std::memcpy(all.data_ptr<std::uint8_t>() + from * length + begin, bytes.data(), bytes.size());
    }
  }

  void wait_for(const std::string& key, int from) {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    for (std::int64_t tries = 1; !store_->check({key}); ++tries) {
      if (tries % 64 == 0) {
        const std::string said = look_up(*store_, "failed");
        if (!said.empty()) {
          throw Error(said);
        }
        if (has_ended(look_up(*store_, "process/" + text(from))) &&
            !store_->check({key})) {  // it may have said its last
          throw Error("a process that shares the run is gone: " + text(from) + " has ended or was killed");
        }
        if (Clock::now() - begin > timeout_) {
          throw Error("process " + text(from) + " did not answer within " + text(timeout_.count() / 1000) + " s");
        }
      }
      std::this_thread::sleep_for(std::chrono::microseconds(tries < 64 ? 50 : 1000));
    }
  }

  /// Deletes what this process sent before its last message, all of which has been read: each process has answered the
  /// last message, and it had read the one before by then.
  void next() {
    for (const std::string& key : read_) {
      store_->deleteKey(key);
    }
    read_ = std::exchange(sent_, {});
    ++number_;
  }

  c10::intrusive_ptr<c10d::Store> store_;
  int rank_;
  int size_;
  std::chrono::milliseconds timeout_;
  std::int64_t number_ = 0;
  std::vector<std::string> sent_;
  std::vector<std::string> read_;
};

}  // namespace regimen::inline v0::detail
