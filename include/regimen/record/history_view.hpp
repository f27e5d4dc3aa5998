#pragma once
// No LibTorch.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "regimen/record/clock.hpp"
#include "regimen/record/history.hpp"

namespace regimen::inline v0 {

/// The last epochs of a phase's history with clocks that start at 0, for a schedule inside another schedule. Copies
/// nothing; the history must outlive the view. A `History` converts to a view of all its epochs.
///
/// A schedule may take a `HistoryView` in place of a `History`. Inside a `Concatenation` or an `InSteps` it then costs
/// nothing, where the scores have to be copied at every read for a schedule that takes a `History`.
///     struct Gentle {
///       regimen::Metric metric = regimen::Metric::fit_loss;
///       double operator()(const regimen::Clock&, const regimen::HistoryView& scores) const { ... }
///     };
class HistoryView {
 public:
  HistoryView() : whole_(&none()) {}
  HistoryView(const History& history) : whole_(&history) {}  // NOLINT: a history is a view of all of it

  [[nodiscard]] auto begin() const { return whole_->begin() + static_cast<std::ptrdiff_t>(first_); }
  [[nodiscard]] auto end() const { return whole_->end(); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::size_t size() const { return whole_->size() - first_; }

  /// The last epoch of the view. Throws Error if there is none.
  [[nodiscard]] const Epoch& back() const {
    if (empty()) {
      throw Error("HistoryView::back: no epoch was scored yet; see empty()");
    }
    return whole_->back();
  }

  /// The clock of this view at an epoch's end; `epoch.clock` itself is the phase's clock.
  [[nodiscard]] Clock clock_of(const Epoch& epoch) const {
    Clock clock = epoch.clock;
    clock.epoch = count(epoch) - begin_;
    return clock;
  }

  /// The part of the view after its first `epochs` epochs, whose clock starts there. O(log(size)).
  [[nodiscard]] HistoryView since(std::int64_t epochs) const {
    HistoryView part = *this;
    part.begin_ += epochs;
    const auto before = [&part](const Epoch& epoch) { return part.count(epoch) <= part.begin_; };
    part.first_ += static_cast<std::size_t>(std::partition_point(begin(), end(), before) - begin());
    return part;
  }

  /// A view of all these epochs whose clock counts optimizer steps since the phase's begin in place of epochs.
  [[nodiscard]] HistoryView in_steps() const {
    HistoryView steps = *this;
    steps.in_steps_ = true;
    steps.begin_ = 0;
    return steps;
  }

  /// Calls f with the original history if the view covers all of it, else with a copy that has the view's clocks.
  template <class F>
  auto as_history(F&& f) const {
    if (begin_ == 0 && !in_steps_) {
      return f(*whole_);
    }
    History copy;
    copy.epochs.assign(begin(), end());
    for (Epoch& epoch : copy.epochs) {
      epoch.clock = clock_of(epoch);
    }
    return f(std::as_const(copy));
  }

 private:
  static const History& none() {
    static const History nothing;
    return nothing;
  }

  [[nodiscard]] std::int64_t count(const Epoch& epoch) const {
    return in_steps_ ? epoch.clock.step : epoch.clock.epoch;
  }

  const History* whole_;
  std::size_t first_ = 0;
  std::int64_t begin_ = 0;
  bool in_steps_ = false;
};

}  // namespace regimen::inline v0
