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

/// The data of a phase's steps, one step after another: as batches that are read, or, where steps are recorded, as
/// places in the phase's data, which the recording reads itself.
class StepData {
 public:
  explicit StepData(const Phase& phase) : phase_(phase) {}

  void begin_epoch(const Order& order, bool by_places) {
    by_places_ = by_places;
    if (!by_places) {
      next_batch_ = phase_.data.read(order);
      return;
    }
    const std::int64_t n = *phase_.data.size();
    order_ = order_of(phase_.data, order);
    next_place_ = order.begin(n);
    end_ = order.end(n);
  }

  /// Goes on to the next step; false at the end of the epoch.
  [[nodiscard]] bool next() {
    group_.clear();
    if (by_places_) {
      places_ = order_.narrow(0, next_place_, std::min(rows_a_step(), end_ - next_place_));
      next_place_ += places_.size(0);
      return places_.size(0) > 0;
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

  /// How many batches the step has.
  [[nodiscard]] std::int64_t batches() const {
    return by_places_ ? Order{.batch = phase_.batch}.batches(places_.size(0))
                      : static_cast<std::int64_t>(group_.size());
  }

  /// The step's batches.
  [[nodiscard]] std::vector<Batch> batches_of(const Moment& now) const {
    return by_places_ ? read(places_, now.epoch_began()) : group_;
  }

  /// The step's places, [n] int64, and whether there are as many as in a recorded step.
  [[nodiscard]] const at::Tensor& places() const { return places_; }
  [[nodiscard]] bool is_full_step() const { return by_places_ && places_.size(0) == rows_a_step(); }

  /// Rows of a recorded step: at most all that there are, for a batch may be larger than the data.
  [[nodiscard]] std::int64_t rows_a_step() const {
    const std::int64_t n = *phase_.data.size();
    return std::min(n, std::min<std::int64_t>(phase_.batch, n) * std::min<std::int64_t>(phase_.accumulate, n));
  }

  /// The batches at these places.
  [[nodiscard]] std::vector<Batch> read(const at::Tensor& places, const Moment& epoch_began) const {
    std::vector<Batch> group;
    for (std::int64_t begin = 0; begin < places.size(0); begin += phase_.batch) {
      const std::int64_t length = std::min<std::int64_t>(phase_.batch, places.size(0) - begin);
      group.push_back(phase_.data.get(places.narrow(0, begin, length), epoch_began));
    }
    return group;
  }

 private:
  const Phase& phase_;
  bool by_places_ = false;

  Cursor next_batch_{};
  std::vector<Batch> group_{};

  at::Tensor order_{};  ///< [n] int64, on the device: the epoch's
  std::int64_t next_place_ = 0;
  std::int64_t end_ = 0;
  at::Tensor places_{};
};

}  // namespace regimen::inline v0::detail
