#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/record/clock.hpp"

namespace regimen::inline v0 {

inline constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

/// Accuracy and loss of a network on one set of data, in eval mode, with the weights at the end of the epoch.
struct Score {
  double accuracy = unknown;  ///< share of correctly predicted samples, in [0, 1]; NaN where the task has no accuracy
  double loss = unknown;      ///< mean loss per sample
  std::int64_t samples = 0;   ///< number of samples; 0 if not scored

  [[nodiscard]] bool scored() const { return samples > 0; }
};

/// The record of one epoch.
///
/// `fit` is measured on the phase's own data, with the labels as given and without augmentation; `clean` on the
/// training data before any damage; `test` and `validation` on held-out data. The scores of an epoch without scoring
/// are empty. `seconds` is wall time from the phase's begin to the epoch's last step; comparisons ignore it.
struct Epoch {
  Clock clock{};      ///< time at the epoch's end: `epoch` is 1 after the first
  std::string phase;  ///< the phase's name
  Score fit{};
  Score clean{};
  Score test{};
  Score validation{};
  double train_loss = unknown;     ///< mean over the epoch's training batches, without penalties
  double learning_rate = unknown;  ///< learning rate of the first parameter group at the epoch's last step
  std::map<std::string, double> measures{};
  double seconds = 0;

  [[nodiscard]] bool scored() const {
    return fit.scored() || clean.scored() || test.scored() || validation.scored() || !measures.empty();
  }
};

/// Name of one number among an epoch's scores. Larger accuracies and smaller losses are better.
enum class Metric {
  fit_accuracy,
  fit_loss,
  clean_accuracy,
  clean_loss,
  test_accuracy,
  test_loss,
  validation_accuracy,
  validation_loss,
};

[[nodiscard]] inline const Score& score_of(const Epoch& epoch, Metric metric) {
  switch (metric) {
    case Metric::fit_accuracy:
    case Metric::fit_loss:
      return epoch.fit;
    case Metric::clean_accuracy:
    case Metric::clean_loss:
      return epoch.clean;
    case Metric::test_accuracy:
    case Metric::test_loss:
      return epoch.test;
    default:
      return epoch.validation;
  }
}

[[nodiscard]] inline bool larger_is_better(Metric metric) {
  return metric == Metric::fit_accuracy || metric == Metric::clean_accuracy || metric == Metric::test_accuracy ||
         metric == Metric::validation_accuracy;
}

/// Value of a metric in an epoch; NaN if the epoch was not scored.
[[nodiscard]] inline double value_of(const Epoch& epoch, Metric metric) {
  const Score& score = score_of(epoch, metric);
  return larger_is_better(metric) ? score.accuracy : score.loss;
}

/// Value of a measure in an epoch; NaN if it was not taken.
[[nodiscard]] inline double value_of(const Epoch& epoch, const std::string& measure) {
  const auto found = epoch.measures.find(measure);
  return found == epoch.measures.end() ? unknown : found->second;
}

[[nodiscard]] inline std::string name_of(Metric metric) {
  static constexpr const char* names[] = {"fit_accuracy",  "fit_loss",  "clean_accuracy",      "clean_loss",
                                          "test_accuracy", "test_loss", "validation_accuracy", "validation_loss"};
  return names[static_cast<std::size_t>(metric)];
}

/// Reason why a phase ended. Divergence is an outcome and not an error: some experiments look for it.
enum class Ended {
  running,    ///< the phase has not ended
  epochs,     ///< all epochs are done
  criterion,  ///< the stop criterion was met
  stopped,    ///< a stop was requested from outside
  diverged,   ///< the training loss is no longer finite
};

[[nodiscard]] inline std::string name_of(Ended ended) {
  static constexpr const char* names[] = {"running", "epochs", "criterion", "stopped", "diverged"};
  return names[static_cast<std::size_t>(ended)];
}

/// The end of one phase: how and when.
struct Outcome {
  std::string phase;
  Ended ended = Ended::running;
  Clock clock{};

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// All epochs of all phases, in order, and the outcome of each phase.
struct History {
  std::vector<Epoch> epochs;
  std::vector<Outcome> outcomes;

  [[nodiscard]] bool empty() const { return epochs.empty(); }
  [[nodiscard]] std::size_t size() const { return epochs.size(); }

  /// The last epoch. Throws Error if there is none because the run was stopped in its first epoch.
  [[nodiscard]] const Epoch& back() const {
    if (epochs.empty()) {
      throw Error("History::back: there is no epoch yet: the run was stopped within its first one; see empty()");
    }
    return epochs.back();
  }

  [[nodiscard]] auto begin() const { return epochs.begin(); }
  [[nodiscard]] auto end() const { return epochs.end(); }

  /// How the last phase in `outcomes` ended; `running` if there is none.
  [[nodiscard]] Ended ended() const { return outcomes.empty() ? Ended::running : outcomes.back().ended; }

  /// The epochs of one phase alone, which its stop criterion and its schedules see.
  [[nodiscard]] History of_phase(int phase) const {
    History part;
    for (const Epoch& epoch : epochs) {
      if (epoch.clock.phase == phase) {
        part.epochs.push_back(epoch);
      }
    }
    return part;
  }
};

namespace detail {

/// Equality of two numbers, for which NaN (not measured) equals NaN.
inline bool same(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

inline bool same(const std::map<std::string, double>& a, const std::map<std::string, double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first && same(x.second, y.second); });
}

}  // namespace detail

[[nodiscard]] inline bool operator==(const Score& a, const Score& b) {
  return detail::same(a.accuracy, b.accuracy) && detail::same(a.loss, b.loss) && a.samples == b.samples;
}

/// Equality of two epochs, wall time left out: runs with equal random seeds differ in it.
[[nodiscard]] inline bool operator==(const Epoch& a, const Epoch& b) {
  return a.clock == b.clock && a.phase == b.phase && a.fit == b.fit && a.clean == b.clean && a.test == b.test &&
         a.validation == b.validation && detail::same(a.train_loss, b.train_loss) &&
         detail::same(a.learning_rate, b.learning_rate) && detail::same(a.measures, b.measures);
}

[[nodiscard]] inline bool operator==(const History& a, const History& b) {
  return a.epochs == b.epochs && a.outcomes == b.outcomes;
}

}  // namespace regimen::inline v0
