#pragma once
// No LibTorch.

#include <cmath>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "regimen/detail/improvement.hpp"
#include "regimen/record.hpp"
#include "regimen/schedule.hpp"

namespace regimen::inline v0 {

/// Is it over? Callable with the phase's history so far (its scored epochs and its last), or with its last epoch alone.
/// A pure function: `run` asks it after every epoch, and asks it again after a resume.
template <class S>
concept StopCriterion = requires(const S& stop, const History& history) {
  { stop(history) } -> std::convertible_to<bool>;
} || requires(const S& stop, const Epoch& epoch) {
  { stop(epoch) } -> std::convertible_to<bool>;
};

/// Any stop criterion, or none: a default `Stop` never says that it is over.
class Stop {
 public:
  Stop() = default;

  template <class S>
    requires(!std::same_as<S, Stop> && !detail::StandIn<S>)
  Stop(S criterion) : manifest_(regimen::manifest(criterion)) {  // NOLINT: a criterion is a stop
    static_assert(StopCriterion<S>,
                  "a stop criterion must be callable as: bool stop(const regimen::History&) const, "
                  "or: bool stop(const regimen::Epoch&) const");
    if constexpr (StopCriterion<S>) {
      detail::check_fields(criterion);
      metrics_ = detail::metrics_of(criterion);
      over_ = std::make_shared<const Function>([criterion](const History& history) -> bool {
        if constexpr (requires { criterion(history); }) {
          return criterion(history);
        } else {
          return !history.empty() && criterion(history.back());
        }
      });
    }
  }

  /// `history` holds the epochs of this phase alone.
  [[nodiscard]] bool operator()(const History& history) const { return over_ && (*over_)(history); }

  [[nodiscard]] std::vector<Metric> metrics() const { return metrics_; }
  [[nodiscard]] const std::string& manifest() const { return manifest_; }

 private:
  using Function = std::function<bool(const History&)>;

  std::shared_ptr<const Function> over_;
  std::vector<Metric> metrics_;
  std::string manifest_ = "null";
};

/// The share of the phase's own labels that the network reproduces is at least `accuracy`, in (0, 1], in each of the
/// last `hold` scorings.
struct FitReaches {
  double accuracy = 1;
  int hold = 1;

  void check() const {
    detail::require(accuracy > 0 && accuracy <= 1, "FitReaches.accuracy", "in (0, 1]", accuracy);
    detail::require(hold >= 1, "FitReaches.hold", "at least 1", hold);
  }

  bool operator()(const History& history) const {
    int held = 0;
    for (const Epoch& epoch : history) {
      if (epoch.fit.scored()) {
        held = epoch.fit.accuracy >= accuracy ? held + 1 : 0;
      }
    }
    return held >= hold;
  }

  [[nodiscard]] std::vector<Metric> metrics() const { return {Metric::fit_accuracy}; }
};

/// The last `scorings` scorings have not improved on the best one before them by more than `by`.
///
/// Counts scorings, not epochs. Reads `metric`, which the run must score; a metric of the test set makes the test set
/// a training set, hence the default.
struct Patience {
  int scorings = 10;
  Metric metric = Metric::validation_loss;
  double by = 0;

  void check() const {
    detail::require(scorings >= 1, "Patience.scorings", "at least 1", scorings);
    detail::require(by >= 0, "Patience.by", "at least 0", by);
  }

  bool operator()(const History& history) const {
    detail::Improvement improvement(metric, by);
    for (const Epoch& epoch : history) {
      improvement.look(epoch);
    }
    return improvement.waited() >= scorings;
  }
};

/// The phase has taken at least `seconds` of wall time, the scoring of earlier epochs included; resumed runs add up.
/// The one criterion that equal seeds do not repeat.
struct TimeLimit {
  double seconds = 0;

  void check() const { detail::require(seconds > 0, "TimeLimit.seconds", "above 0", seconds); }

  bool operator()(const Epoch& epoch) const { return epoch.seconds >= seconds; }
};

/// The phase has taken at least `steps` optimizer steps. Asked between epochs: to cut an epoch, `limit` its source.
struct StepLimit {
  std::int64_t steps = 0;

  void check() const { detail::require(steps > 0, "StepLimit.steps", "above 0", steps); }

  bool operator()(const Epoch& epoch) const { return epoch.clock.step >= steps; }
};

/// Either. `a || b` writes it.
struct AnyOf {
  Stop first;
  Stop second;

  bool operator()(const History& history) const { return first(history) || second(history); }
};

/// Both. `a && b` writes it.
struct AllOf {
  Stop first;
  Stop second;

  bool operator()(const History& history) const { return first(history) && second(history); }
};

/// The opposite. `!a` writes it.
struct Not {
  Stop criterion;

  bool operator()(const History& history) const { return !criterion(history); }
};

namespace detail {

/// The criteria of this library and a `Stop` made from any other; a lambda on its own keeps its operators to itself.
template <class T>
concept Term = std::same_as<T, Stop> || (StopCriterion<T> && std::is_aggregate_v<T>);

}  // namespace detail

template <detail::Term A, detail::Term B>
AnyOf operator||(const A& a, const B& b) {
  return {a, b};
}

template <detail::Term A, detail::Term B>
AllOf operator&&(const A& a, const B& b) {
  return {a, b};
}

template <detail::Term A>
Not operator!(const A& a) {
  return {.criterion = a};  // not {a}, which would copy a Not instead of negating it
}

}  // namespace regimen::inline v0
