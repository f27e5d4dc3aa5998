#pragma once
// No LibTorch.

#include <concepts>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "regimen/base/manifest.hpp"
#include "regimen/record/clock.hpp"
#include "regimen/record/erased.hpp"
#include "regimen/record/history.hpp"
#include "regimen/record/history_view.hpp"
#include "regimen/record/reads.hpp"

namespace regimen::inline v0 {

/// A function of the clock, or of the clock and the phase's scores so far, that returns a number. It takes the scores
/// as a `History`, or as a `HistoryView`, which is never copied. A schedule holds no state: nothing has to be stepped,
/// saved or restored. A field out of its range is an Error as soon as the schedule becomes a `Knob`.
template <class S>
concept Schedule = requires(const S& schedule, const Clock& clock, const History& history) {
  { schedule(clock) } -> std::convertible_to<double>;
} || requires(const S& schedule, const Clock& clock, const History& history) {
  { schedule(clock, history) } -> std::convertible_to<double>;
};

namespace detail {

/// A schedule that takes a `HistoryView`. A generic lambda, which can be called with anything, is not one: it may
/// expect a `History`.
template <class S>
concept TakesView =
    requires { &S::operator(); } && requires(const S& schedule, const Clock& clock) { schedule(clock, HistoryView()); };

}  // namespace detail

/// A number or a schedule: the type of every rate, strength or share that may change during training.
///
///     regimen::L2{.strength = 5e-4}
///     regimen::L2{.strength = regimen::Cosine{.epochs = 60} * 5e-4}
class Knob : public detail::Erased {
 public:
  Knob(double value = 0) : constant_(value) {  // NOLINT: a number is a knob
    remember_manifest([value] { return regimen::manifest(value); });
  }

  template <class S>
    requires(!std::is_arithmetic_v<S> && !std::derived_from<S, Knob> && !detail::StandIn<S>)
  Knob(S schedule) {  // NOLINT: a schedule is a knob
    static_assert(Schedule<S>,
                  "a schedule must be callable as: number schedule(const regimen::Clock&) const, "
                  "or: number schedule(const regimen::Clock&, const regimen::History&) const");
    if constexpr (Schedule<S>) {
      const auto part = remember(std::move(schedule));
      schedule_ = std::make_shared<const Function>([part](const Clock& clock, const HistoryView& scores) -> double {
        if constexpr (detail::TakesView<S>) {
          return (*part)(clock, scores);
        } else if constexpr (requires(const History& history) { (*part)(clock, history); }) {
          return scores.as_history(
              [&](const History& history) { return static_cast<double>((*part)(clock, history)); });
        } else {
          return (*part)(clock);
        }
      });
    }
  }

  /// The value at this time. `scores`: the phase's `History`, or the part of it that an enclosing schedule shows.
  [[nodiscard]] double operator()(const Clock& clock, const HistoryView& scores = {}) const {
    return schedule_ ? (*schedule_)(clock, scores) : constant_;
  }

  /// True for a number, false for a schedule.
  [[nodiscard]] bool constant() const { return !schedule_; }

 private:
  using Function = std::function<double(const Clock&, const HistoryView&)>;

  double constant_ = 0;
  std::shared_ptr<const Function> schedule_;
};

}  // namespace regimen::inline v0
