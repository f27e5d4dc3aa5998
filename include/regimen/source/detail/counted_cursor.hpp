#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/source/concept.hpp"

namespace regimen::inline v0::detail {

/// A cursor that checks a stream's `size()`: with another number of samples an epoch would not have the length that
/// schedules, scores and checkpoints assume. Throws Error at the first batch too many, and at the end if there were too
/// few.
class CountedCursor {
 public:
  CountedCursor(Cursor next, std::int64_t size, const Order& order)
      : next_(std::move(next)), size_(size), is_whole_(order.first == 0 && !order.drop_last) {}

  Batch operator()() {
    Batch batch = next_();
    given_ += batch.size();
    if (given_ > size_) {
      throw Error("a stream's size() must be what it gives in an epoch, but is " + text(size_) + ": it has given " +
                  text(given_) + " already");
    }
    if (batch.size() == 0 && is_whole_ && given_ < size_) {
      throw Error("a stream's size() must be what it gives in an epoch, " + text(given_) + ", but is " + text(size_));
    }
    return batch;
  }

 private:
  Cursor next_;
  std::int64_t size_;
  bool is_whole_;  ///< true if no batch is left out
  std::int64_t given_ = 0;
};

}  // namespace regimen::inline v0::detail
