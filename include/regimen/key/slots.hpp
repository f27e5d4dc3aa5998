#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "regimen/key/detail/threefry.hpp"

namespace regimen::inline v0 {

struct Moment;

namespace detail {

/// The numbers of a recorded step that change between replays, each at an address of its own on the device.
///
/// A recording keeps the addresses that a step reads, and all values that come from the host. Values that follow a
/// schedule are therefore read from slots, which are filled before each replay. The first passes over the step make the
/// slots, in the order in which it asks for them; later passes get them in the same order.
class Slots {
 public:
  /// A number as a function of the moment.
  using Number = std::function<double(const Moment&)>;

  /// The words of a key (key.hpp) as a function of the moment.
  using Words = std::function<Block(const Moment&)>;

  explicit Slots(const at::Device& device)
      : memory_(at::empty({capacity}, at::TensorOptions().dtype(at::kLong).device(device))),
        filled_(memory_.variable_data()) {}

  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  /// Fills all slots and begins a pass over the step. `now`: the moment of the step; `epoch_began`: that of the epoch's
  /// begin, for what the step reads from frozen data.
  void begin(const Moment& now, const Moment& epoch_began) {
    next_ = 0;
    if (entries_.empty()) {
      return;
    }
    at::Tensor values = at::empty({used_}, at::kLong);
    auto* to = values.data_ptr<std::int64_t>();
    for (const Entry& entry : entries_) {
      entry.fill(entry.of_epoch ? epoch_began : now, to);
      to += entry.length;
    }
    // Non-blocking: the driver takes over so few bytes before the call returns, and the device need not wait.
    filled_.narrow(0, 0, used_).copy_(values, /*non_blocking=*/true);
  }

  /// The slot of a number, 0-d double on the device. `of_epoch`: `now` is the moment of the epoch's begin.
  at::Tensor number(const Moment& now, bool of_epoch, Number value) {
    const Fill fill = [value = std::move(value)](const Moment& at, std::int64_t* to) {
      const double number = value(at);
      std::memcpy(to, &number, sizeof number);
    };
    return place(now, of_epoch, 1, fill).view(at::kDouble).select(0, 0);
  }

  /// The slot of a key's words, [3] int64 on the device: two words, and the third that Threefry makes of them.
  at::Tensor words(const Moment& now, bool of_epoch, Words value) {
    const Fill fill = [value = std::move(value)](const Moment& at, std::int64_t* to) {
      const Block key = value(at);
      to[0] = static_cast<std::int64_t>(key.first);
      to[1] = static_cast<std::int64_t>(key.second);
      to[2] = static_cast<std::int64_t>(threefry_parity ^ key.first ^ key.second);
    };
    return place(now, of_epoch, 3, fill);
  }

  /// Ends the making of slots: the recording reads only the existing ones.
  void close() { closed_ = true; }

  /// Whether the pass has asked for exactly the existing slots.
  [[nodiscard]] bool complete() const { return next_ == entries_.size(); }

  /// Marks the step as one that cannot be recorded. The first reason is kept.
  void refuse(const std::string& why) {
    if (refused_.empty()) {
      refused_ = why;
    }
  }

  /// Why the step cannot be recorded; empty if it can.
  [[nodiscard]] const std::string& refused() const { return refused_; }

 private:
  static constexpr std::int64_t capacity = 4096;  // 32 kB, which the driver takes over in one call

  using Fill = std::function<void(const Moment&, std::int64_t*)>;

  struct Entry {
    std::int64_t begin;
    std::int64_t length;
    bool of_epoch;
    Fill fill;
  };

  /// The next slot of the pass, made if it does not exist.
  at::Tensor place(const Moment& now, bool of_epoch, std::int64_t length, const Fill& fill) {
    if (next_ < entries_.size() && entries_[next_].length == length && entries_[next_].of_epoch == of_epoch) {
      const Entry& entry = entries_[next_++];
      return memory_.narrow(0, entry.begin, length);
    }
    if (closed_ || next_ < entries_.size() || used_ + length > capacity) {
      refuse("it asks for scheduled numbers in another order, or for more of them, than in its first passes");
    }
    if (closed_) {
      return memory_.narrow(0, 0, length);  // any memory will do: the recording will not be used
    }
    at::Tensor values = at::empty({length}, at::kLong);
    fill(now, values.data_ptr<std::int64_t>());
    if (!refused_.empty()) {
      return at::empty({length}, memory_.options()).copy_(values, /*non_blocking=*/true);
    }
    entries_.push_back({used_, length, of_epoch, fill});
    used_ += length;
    ++next_;
    filled_.narrow(0, used_ - length, length).copy_(values, /*non_blocking=*/true);
    return memory_.narrow(0, used_ - length, length);
  }

  at::Tensor memory_;
  /// A tensor that shares the memory of the slots and is written to. Autograd counts the writes to a tensor and all its
  /// views, and would refuse the gradient of a product with one slot once another slot was filled.
  at::Tensor filled_;
  std::vector<Entry> entries_;
  std::int64_t used_ = 0;
  std::size_t next_ = 0;
  bool closed_ = false;
  std::string refused_;
};

}  // namespace detail
}  // namespace regimen::inline v0
