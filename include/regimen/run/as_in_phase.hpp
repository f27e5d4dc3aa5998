#pragma once

#include <concepts>

#include "regimen/evaluate/batch_norm.hpp"
#include "regimen/evaluate/evaluate.hpp"
#include "regimen/model/model.hpp"
#include "regimen/record/history.hpp"
#include "regimen/run/phase.hpp"
#include "regimen/source/source.hpp"

/// Scoring and re-estimation by hand, with a phase's preprocessing and precision.
namespace regimen::inline v0 {

/// How the phase is scored, for whoever scores by hand, after the run or within it: its loss, its preprocessing, its
/// precision. Without them a network that was trained on normalized images is scored on raw ones, and no error says so.
///     regimen::evaluate(net, test, regimen::evaluation_of(phase));
[[nodiscard]] inline Evaluation evaluation_of(const Phase& phase) {
  return {.loss = phase.loss, .preprocess = phase.preprocess, .execute = phase.execute};
}

/// `evaluate` as the phase is scored.
///     regimen::evaluate(net, test, phase).accuracy
template <std::same_as<Phase> P>  // what stands in braces is an Evaluation
[[nodiscard]] Score evaluate(const Model& model, const Source& source, const P& phase) {
  return evaluate(model, source, evaluation_of(phase));
}

/// What the phase's batches are normalized by: its batch size, its preprocessing and its precision, with the same parts
/// in eval mode, but without its augmentation.
[[nodiscard]] inline Reestimation reestimation_of(const Phase& phase) {
  return {.preprocess = phase.preprocess,
          .execute = phase.execute,
          .batch = phase.batch,
          .drop_last = phase.drop_last,
          .seed = phase.seed,
          .eval = phase.eval};
}

/// `reestimate_batch_norm` as the phase trains. Without its preprocessing the statistics would be of other inputs, and
/// no error would say so.
///     regimen::reestimate_batch_norm(net, train, phase);
template <std::same_as<Phase> P>  // what stands in braces is a Reestimation
void reestimate_batch_norm(const Model& model, const Source& source, const P& phase) {
  reestimate_batch_norm(model, source, reestimation_of(phase));
}

}  // namespace regimen::inline v0
