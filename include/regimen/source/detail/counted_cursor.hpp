#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/source/concept.hpp"

namespace regimen::inline v0::detail {

/// A stream's cursor that counts: a stream that gives more or fewer samples than its `size()` says would make an epoch
/// of another length than schedules, scores and checkpoints take it for. Throws Error at the batch that is too many,
/// and at the end if there were too few.
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
  bool is_whole_;  ///< no batch is left out
  std::int64_t given_ = 0;
};

}  // namespace regimen::inline v0::detail
