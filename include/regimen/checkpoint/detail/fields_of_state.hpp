#pragma once
// No LibTorch.

#include <string>

#include "regimen/base/fields.hpp"
#include "regimen/observe/event.hpp"
#include "regimen/record/history.hpp"

/// The fields of a run's state by name: one list for each struct, for writing and reading. A new field must be added
/// here, or this does not compile; when an older checkpoint is read, the field keeps its default.
namespace regimen::inline v0::detail {

template <class C, class Visit>
void visit_clock(const std::string& of, C& clock, Visit&& visit) {
  static_assert(count_fields<Clock>() == 5);
  visit(of + "phase", clock.phase);
  visit(of + "epoch", clock.epoch);
  visit(of + "batch", clock.batch);
  visit(of + "batches", clock.batches);
  visit(of + "step", clock.step);
}

template <class S, class Visit>
void visit_score(const std::string& of, S& score, Visit&& visit) {
  static_assert(count_fields<Score>() == 3);
  visit(of + "accuracy", score.accuracy);
  visit(of + "loss", score.loss);
  visit(of + "samples", score.samples);
}

/// Visits the fields of an epoch except its measures, which have names of their own.
template <class E, class Visit>
void visit_epoch(E& epoch, Visit&& visit) {
  static_assert(count_fields<Epoch>() == 10);
  visit_clock("clock_", epoch.clock, visit);
  visit("phase", epoch.phase);
  visit_score("fit_", epoch.fit, visit);
  visit_score("clean_", epoch.clean, visit);
  visit_score("test_", epoch.test, visit);
  visit_score("validation_", epoch.validation, visit);
  visit("train_loss", epoch.train_loss);
  visit("learning_rate", epoch.learning_rate);
  visit("seconds", epoch.seconds);
}

template <class O, class Visit>
void visit_outcome(O& outcome, Visit&& visit) {
  static_assert(count_fields<Outcome>() == 3);
  visit("phase", outcome.phase);
  visit("ended", outcome.ended);
  visit_clock("clock_", outcome.clock, visit);
}

/// Visits the fields of a state except its history.
template <class S, class Visit>
void visit_state(S& state, Visit&& visit) {
  static_assert(count_fields<State>() == 9);
  visit_clock("clock_", state.clock, visit);
  visit("loss_sum", state.loss_sum);
  visit("loss_samples", state.loss_samples);
  visit("loss_count", state.loss_count);
  visit("lr_scale", state.lr_scale);
  visit("loss_scale", state.loss_scale);
  visit("loss_scale_steps", state.loss_scale_steps);
  visit("seconds", state.seconds);
}

}  // namespace regimen::inline v0::detail
