#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "regimen/batch/batch.hpp"
#include "regimen/key/moment.hpp"
#include "regimen/run/phase.hpp"
#include "regimen/source/concept.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0::detail {

/// The data of a phase's steps, one step after another: batches or, for recorded steps, indices into the phase's data,
/// which the recording reads itself.
class StepData {
 public:
  explicit StepData(const Phase& phase) : phase_(phase) {}

  void begin_epoch(const Order& order, bool by_index) {
    by_index_ = by_index;
    if (!by_index) {
      next_batch_ = phase_.data.read(order);
      return;
    }
    const std::int64_t n = *phase_.data.size();
    order_ = order_of(phase_.data, order);
    next_place_ = order.begin(n);
    end_ = order.end(n);
  }

  /// Goes to the next step; false at the end of the epoch.
  [[nodiscard]] bool next() {
    group_.clear();
    if (by_index_) {
      index_ = order_.narrow(0, next_place_, std::min(rows_a_step(), end_ - next_place_));
      next_place_ += index_.size(0);
      return index_.size(0) > 0;
    }
    while (static_cast<std::int64_t>(group_.size()) < phase_.accumulate) {
      Batch batch = next_batch_();
      if (batch.size() == 0) {
        break;
      }
      group_.push_back(std::move(batch));
    }
    return !group_.empty();
  }

  /// The number of batches of the step.
  [[nodiscard]] std::int64_t batches() const {
    return by_index_ ? Order{.batch = phase_.batch}.batches(index_.size(0)) : static_cast<std::int64_t>(group_.size());
  }

  /// The batches of the step.
  [[nodiscard]] std::vector<Batch> batches_of(const Moment& now) const {
    return by_index_ ? read(index_, now.epoch_began()) : group_;
  }

  /// The indices of the step, [n] int64, and whether there are as many as in a recorded step.
  [[nodiscard]] const at::Tensor& index() const { return index_; }
  [[nodiscard]] bool is_full_step() const { return by_index_ && index_.size(0) == rows_a_step(); }

  /// The number of rows in a recorded step: at most all rows, as a batch may be larger than the data.
  [[nodiscard]] std::int64_t rows_a_step() const {
    const std::int64_t n = *phase_.data.size();
    return std::min(n, std::min<std::int64_t>(phase_.batch, n) * std::min<std::int64_t>(phase_.accumulate, n));
  }

  /// The batches at these indices.
  [[nodiscard]] std::vector<Batch> read(const at::Tensor& index, const Moment& epoch_began) const {
    std::vector<Batch> group;
    for (std::int64_t begin = 0; begin < index.size(0); begin += phase_.batch) {
      const std::int64_t length = std::min<std::int64_t>(phase_.batch, index.size(0) - begin);
      group.push_back(phase_.data.get(index.narrow(0, begin, length), epoch_began));
    }
    return group;
  }

 private:
  const Phase& phase_;
  bool by_index_ = false;

  Cursor next_batch_{};
  std::vector<Batch> group_{};

  at::Tensor order_{};  ///< [n] int64 on the device, the order of the epoch
  std::int64_t next_place_ = 0;
  std::int64_t end_ = 0;
  at::Tensor index_{};
};

}  // namespace regimen::inline v0::detail
