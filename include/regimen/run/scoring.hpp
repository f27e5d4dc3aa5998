#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/on_part.hpp"
#include "regimen/record/history.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

/// The data and measures that a run is scored on, and how often; all optional. Data that are not set are not scored.
struct Scoring {
  Source clean{};         ///< training data before any damage
  Source test{};          ///< held-out data for the record: no decision should depend on them
  Source validation{};    ///< held-out data for stop criteria and schedules
  Integer every = 1;      ///< epochs between scorings, at least 1; a phase's last epoch is always scored
  Integer fit_every = 0;  ///< epochs between scorings of fit alone, for a stop criterion that needs them; 0: as `every`
  bool score_fit = true;  ///< whether to score the phase's own data
  std::map<std::string, AnyMeasure> measures{};  ///< measures by name, taken at each scoring
  Integer batch = 128;                           ///< samples per batch in scoring, at least 1; as `Evaluation::batch`

  void check() const {
    detail::require(every >= 1, "Scoring.every", "at least 1", every);
    detail::require(fit_every >= 0, "Scoring.fit_every", "at least 0", fit_every);
    detail::require(batch >= 1, "Scoring.batch", "at least 1", batch);
    check(clean, "Scoring.clean");
    check(test, "Scoring.test");
    check(validation, "Scoring.validation");
    for (const auto& [name, measure] : measures) {
      if (!measure) {
        throw Error("Scoring.measures[\"" + name + "\"] must be set");
      }
    }
    const std::vector<std::string> names = measure_names();
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) {
      throw Error("Scoring.measures give two numbers of the name \"" + *twice + "\": call one of them otherwise");
    }
  }

  /// The names of the measures' numbers in the record, sorted.
  [[nodiscard]] std::vector<std::string> measure_names() const {
    std::vector<std::string> names;
    for (const auto& [name, measure] : measures) {
      const std::vector<std::string> more = measure.names(name);
      names.insert(names.end(), more.begin(), more.end());
    }
    std::sort(names.begin(), names.end());  // as the record has them
    return names;
  }

  /// Whether a run with this scoring takes the metric.
  [[nodiscard]] bool scores(Metric metric) const {
    switch (metric) {
      case Metric::fit_accuracy:
      case Metric::fit_loss:
        return score_fit;
      case Metric::clean_accuracy:
      case Metric::clean_loss:
        return clean.defined();
      case Metric::test_accuracy:
      case Metric::test_loss:
        return test.defined();
      default:
        return validation.defined();
    }
  }

 private:
  static void check(const Source& source, const std::string& field) {
    if (!source.defined()) {
      return;
    }
    if (!source.size()) {
      throw Error(field + " must end: limit(stream, samples) makes a stream do so");
    }
    detail::require(*source.size() > 0, field + ".size()", "above 0", *source.size());
  }
};

/// Former name of `Scoring`.
using Splits [[deprecated("it is called regimen::Scoring")]] = Scoring;

}  // namespace regimen::inline v0
