#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "regimen/batch/batch.hpp"
#include "regimen/key/order.hpp"
#include "regimen/source/concept.hpp"

/// Reading of an indexed source in an order. A template over the source's type, as the header of `Source` includes this
/// one.
namespace regimen::inline v0::detail {

/// The row indices of an indexed source in the order of an epoch, [size] int64 on the source's device.
template <class AnySource>
at::Tensor order_of(const AnySource& source, const Order& order) {
  const std::int64_t n = *source.size();
  const at::Tensor index = order.shuffle ? shuffled(n, order.seed, order.now) : at::arange(n, at::kLong);
  return index.to(source.device());
}

/// A cursor that reads several batches of an indexed source at once and returns slices of them: one gather for many
/// small batches costs less than many gathers. Transforms give the same results.
template <class AnySource>
class IndexedCursor {
 public:
  IndexedCursor(AnySource source, const Order& order) : source_(std::move(source)), order_(order) {
    const std::int64_t n = *source_.size();
    index_ = order_of(source_, order);
    end_ = order.end(n);
    next_ = order.begin(n);
    order_.batch =
        std::min<std::int64_t>(order.batch, std::max<std::int64_t>(n, 1));  // larger numbers would overflow below
  }

  Batch operator()() {
    if (next_ >= end_) {
      return {};
    }
    while (next_ >= loaded_end_) {
      load();
    }
    const std::int64_t length = std::min<std::int64_t>(order_.batch, end_ - next_);
    const Batch batch = slice(loaded_, next_ - loaded_begin_, length);
    next_ += length;
    return batch;
  }

 private:
  // The first load is a single batch, so that the first batch comes at once; its size tells how many batches fit a
  // load. A reader that starts later, after a resume, makes that load too and then the loads of its own batches: a
  // sample must have the same position in a load for all readers, since the last bit of a vectorized logarithm may
  // depend on it.
  static constexpr std::int64_t load_bytes = 1 << 20;

  void load() {
    const std::int64_t full = batches_a_load_ * order_.batch;
    const std::int64_t begin = loaded_end_ + (loaded_end_ > 0 ? (next_ - loaded_end_) / full * full : 0);
    const std::int64_t length = std::min(full, end_ - begin);
    loaded_ = source_.get(index_.narrow(0, begin, length), order_.now);
    loaded_begin_ = begin;
    loaded_end_ = begin + length;
    const std::int64_t sample_bytes =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(loaded_.data.nbytes()) / std::max<std::int64_t>(1, length));
    batches_a_load_ = std::max<std::int64_t>(1, load_bytes / (sample_bytes * order_.batch));
  }

  AnySource source_;
  Order order_;
  at::Tensor index_;
  std::int64_t end_ = 0;
  std::int64_t next_ = 0;
  Batch loaded_;
  std::int64_t loaded_begin_ = 0;
  std::int64_t loaded_end_ = 0;
  std::int64_t batches_a_load_ = 1;
};

}  // namespace regimen::inline v0::detail
