#pragma once

#include <vector>

#include "regimen/evaluate/evaluate.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/model/model.hpp"
#include "regimen/record/history.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

/// Scores each part of the data by `evaluate`. The accuracy and loss of an empty part are NaN. For the parts of a
/// source this costs about one pass over the source.
///     const std::vector<regimen::Score> each = regimen::scores(net, regimen::by_class(test, 10));
[[nodiscard]] inline std::vector<Score> scores(const Model& model, const std::vector<Source>& parts,
                                               const Evaluation& how = {}) {
  std::vector<Score> result;
  for (const Source& part : parts) {
    const bool empty = part.defined() && part.size() == 0;
    result.push_back(empty ? Score{} : evaluate(model, part, how));
  }
  return result;
}

/// The accuracy on a part of the data, as a measure for `Scoring::measures`: one pass over the part at each scoring;
/// NaN for an empty part. Settings that `how` leaves at their defaults are the phase's: loss, preprocessing, precision.
/// (For no preprocessing although the phase has some: `.preprocess = {regimen::chain()}`.)
struct AccuracyOn {
  Source part;
  Evaluation how{};

  double operator()(const Probe& probe) const {
    return scores(probe.model, {part}, detail::filled_in(how, probe.how)).front().accuracy;
  }
};

/// The mean loss on a part of the data, otherwise like `AccuracyOn`.
struct LossOn {
  Source part;
  Evaluation how{};

  double operator()(const Probe& probe) const {
    return scores(probe.model, {part}, detail::filled_in(how, probe.how)).front().loss;
  }
};

}  // namespace regimen::inline v0
