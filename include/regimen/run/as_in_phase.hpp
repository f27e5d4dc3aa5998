#pragma once

#include <concepts>

#include "regimen/evaluate/batch_norm.hpp"
#include "regimen/evaluate/evaluate.hpp"
#include "regimen/model/model.hpp"
#include "regimen/record/history.hpp"
#include "regimen/run/phase.hpp"
#include "regimen/source/source.hpp"

/// Scoring and re-estimation of BatchNorm by hand, with a phase's settings.
namespace regimen::inline v0 {

/// A phase's settings for scoring by hand: its loss, preprocessing and execution. Without them a network that was
/// trained on normalized images is scored on raw ones, without an error.
///     regimen::evaluate(net, test, regimen::evaluation_of(phase));
[[nodiscard]] inline Evaluation evaluation_of(const Phase& phase) {
  return {.loss = phase.loss, .preprocess = phase.preprocess, .execute = phase.execute};
}

/// Scores a model as the phase does.
///     regimen::evaluate(net, test, phase).accuracy
template <std::same_as<Phase> P>  // so that braces make an Evaluation
[[nodiscard]] Score evaluate(const Model& model, const Source& source, const P& phase) {
  return evaluate(model, source, evaluation_of(phase));
}

/// A phase's settings for `reestimate_batch_norm`: its batch size, preprocessing and execution, with the same modules
/// in eval mode, but without its augmentation.
[[nodiscard]] inline Reestimation reestimation_of(const Phase& phase) {
  return {.preprocess = phase.preprocess,
          .execute = phase.execute,
          .batch = phase.batch,
          .drop_last = phase.drop_last,
          .seed = phase.seed,
          .eval = phase.eval};
}

/// Estimates BatchNorm's running statistics anew, on batches as the phase trains on, without augmentation. Without its
/// preprocessing the statistics would be of other inputs, without an error.
///     regimen::reestimate_batch_norm(net, train, phase);
template <std::same_as<Phase> P>  // so that braces make a Reestimation
void reestimate_batch_norm(const Model& model, const Source& source, const P& phase) {
  reestimate_batch_norm(model, source, reestimation_of(phase));
}

}  // namespace regimen::inline v0
