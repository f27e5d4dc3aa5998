#pragma once
// No LibTorch.

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "regimen/base/manifest.hpp"
#include "regimen/record/erased.hpp"
#include "regimen/record/history.hpp"
#include "regimen/record/reads.hpp"
#include "regimen/schedule/concept.hpp"
#include "regimen/stop/detail/of_values.hpp"

namespace regimen::inline v0 {

/// A function of the phase's history so far (its scored epochs and its last epoch), or of its last epoch alone, that
/// returns whether the phase should end. It must be a pure function: `run` calls it after every epoch, and again after
/// a resume. A field out of its range is an Error as soon as the criterion becomes a `Stop`; `run` throws Error if it
/// reads a score or a measure that is never taken.
template <class S>
concept StopCriterion = requires(const S& stop, const History& history) {
  { stop(history) } -> std::convertible_to<bool>;
} || requires(const S& stop, const Epoch& epoch) {
  { stop(epoch) } -> std::convertible_to<bool>;
};

/// Any stop criterion, or none: a default `Stop` never ends a phase.
class Stop : public detail::Erased {
 public:
  Stop() = default;

  template <class S>
    requires(!std::same_as<S, Stop> && !detail::StandIn<S>)
  Stop(S criterion) {  // NOLINT: a criterion is a stop
    static_assert(StopCriterion<S>,
                  "a stop criterion must be callable as: bool stop(const regimen::History&) const, "
                  "or: bool stop(const regimen::Epoch&) const");
    if constexpr (StopCriterion<S>) {
      is_of_values_ = detail::is_of_values(criterion);
      const auto part = remember(std::move(criterion));
      over_ = std::make_shared<const Function>([part](const History& history) -> bool {
        if constexpr (requires { (*part)(history); }) {
          return (*part)(history);
        } else {
          return !history.empty() && (*part)(history.back());
        }
      });
    }
  }

  /// Whether the phase should end. `history` holds the epochs of this phase alone.
  [[nodiscard]] bool operator()(const History& history) const { return over_ && (*over_)(history); }

  /// Whether the criterion is a function of its fields and the history alone. False for a lambda, which may read
  /// something that changes.
  [[nodiscard]] bool is_of_values() const { return is_of_values_; }

 private:
  using Function = std::function<bool(const History&)>;

  std::shared_ptr<const Function> over_;
  bool is_of_values_ = true;
};

}  // namespace regimen::inline v0
