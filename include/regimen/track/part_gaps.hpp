#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/damage/by_class.hpp"
#include "regimen/evaluate/evaluate.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/on_part.hpp"
#include "regimen/source/source.hpp"
#include "regimen/track/gap_tracker.hpp"

namespace regimen::inline v0 {

/// The accuracy gap of one part of the data, training minus held out, as a measure for `Scoring::measures`: one pass
/// over each. NaN if either is empty. For all classes at once use `class_gaps`.
struct PartGap {
  Source on_training_data;
  Source held_out;
  Evaluation how{};

  double operator()(const Probe& probe) const {
    const Evaluation filled = detail::filled_in(how, probe.how);
    return gaps(scores(probe.model, {on_training_data}, filled), scores(probe.model, {held_out}, filled)).front();
  }
};

/// The accuracy gaps of all classes as measures "class_gap_0", "class_gap_1", ...: together they cost one pass over
/// both sources at each scoring. `now`: the moment for damage that follows a schedule. Throws Error as `by_class` does.
///     scoring.measures = regimen::class_gaps(train, test, /*classes=*/10);
[[nodiscard]] inline std::map<std::string, AnyMeasure> class_gaps(const Source& on_training_data,
                                                                  const Source& held_out, std::int64_t classes,
                                                                  const Evaluation& how = {}, const Moment& now = {}) {
  const std::vector<Source> train_parts = by_class(on_training_data, classes, now);
  const std::vector<Source> held_out_parts = by_class(held_out, classes, now);
  std::map<std::string, AnyMeasure> measures;
  for (std::size_t c = 0; c < train_parts.size(); ++c) {
    measures.emplace("class_gap_" + detail::text(c), PartGap{train_parts[c], held_out_parts[c], how});
  }
  return measures;
}

/// The largest accuracy gap of any class, or of other parts, as a measure for `Scoring::measures`: training minus held
/// out, part by part. Parts that are empty on either side are left out; NaN if all are.
///     scoring.measures["worst_class_gap"] = regimen::WorstGap{by_class(train, 10), by_class(test, 10)};
/// Throws Error if the two lengths differ.
struct WorstGap {
  std::vector<Source> on_training_data;
  std::vector<Source> held_out;
  Evaluation how{};

  double operator()(const Probe& probe) const {
    const Evaluation filled = detail::filled_in(how, probe.how);
    double worst = unknown;
    for (const double gap :
         gaps(scores(probe.model, on_training_data, filled), scores(probe.model, held_out, filled))) {
      worst = std::fmax(worst, gap);  // fmax ignores a NaN
    }
    return worst;
  }
};

}  // namespace regimen::inline v0
