#pragma once

#include <concepts>
#include <type_traits>
#include <vector>

#include "regimen/model/model.hpp"
#include "regimen/record/history.hpp"
#include "regimen/run/detail/observers.hpp"
#include "regimen/run/detail/trainer.hpp"
#include "regimen/run/options.hpp"
#include "regimen/run/phase.hpp"
#include "regimen/run/scoring.hpp"

namespace regimen::inline v0 {

/// Trains a model through the phases of a regime, one after another, and returns the record of every epoch.
///
///     check all phases                        Error, before anything is touched
///     RunBegin
///     for each phase                          optimizer state cleared
///       PhaseBegin
///       for each epoch, unless `until` says that it is over
///         for each batch, or group of `accumulate` batches
///           augment                           keyed by (seed, sample, epoch)
///           preprocess                        keyed by the sample alone
///           objective                         = seed the generators by (seed, step), forget gradients,
///                                               forward, loss, penalties, backward, gradient hooks
///                                               (regularize/concept.hpp has their order)
///           optimizer.step(objective)         rates scaled around it; the first call gets what is already computed
///           weight hooks
///           Step, Boundary
///         score fit, clean, test, validation  every `Scoring::every` epochs, and at the last
///         Epoch, Boundary
///       PhaseEnd, Boundary
///     RunEnd
///
/// The model and the optimizers are borrowed and stay trained. Everything else is restored, also after an exception:
/// learning rates, train and eval modes, requires_grad, the global generators. Equal random seeds give equal histories,
/// and observers cannot change them. One run at a time in a process. Throws Error for misuse; divergence and a
/// requested stop are outcomes (see `History::ended`).
///
///     regimen::run(net, {memorize, vanilla}, {.clean = train, .test = test}, regimen::Progress{});
template <class... Observers>
History run(const Model& model, const std::vector<Phase>& phases, const Scoring& scoring, const RunOptions& options,
            Observers&&... observers) {
  detail::Observers all;
  (all.add(observers, options.share.rank() == 0), ...);
  return detail::Trainer(model, phases, scoring, options, all).run();
}

template <class... Observers>
  requires(!std::same_as<std::remove_cvref_t<Observers>, RunOptions> && ...)
History run(const Model& model, const std::vector<Phase>& phases, const Scoring& scoring, Observers&&... observers) {
  return run(model, phases, scoring, RunOptions{}, observers...);
}

/// Runs a single phase.
///     regimen::run(net, phase, {.test = test}, regimen::Progress{});
template <std::same_as<Phase> P, class... Observers>
History run(const Model& model, const P& phase, const Scoring& scoring, const RunOptions& options,
            Observers&&... observers) {
  return run(model, std::vector<Phase>{phase}, scoring, options, observers...);
}
template <std::same_as<Phase> P, class... Observers>
  requires(!std::same_as<std::remove_cvref_t<Observers>, RunOptions> && ...)
History run(const Model& model, const P& phase, const Scoring& scoring, Observers&&... observers) {
  return run(model, std::vector<Phase>{phase}, scoring, RunOptions{}, observers...);
}

namespace detail {

/// Something in the place of the Scoring that is none. (Braces have no type, so `{.test = test}` is never one.)
template <class T>
concept NoScoring = !std::convertible_to<T, Scoring>;

}  // namespace detail

/// Refused: observers or options without the Scoring in front of them.
template <class Phases, detail::NoScoring First, class... Rest>
  requires(std::same_as<Phases, Phase> || std::same_as<Phases, std::vector<Phase>>)
History run(const Model& model, const Phases& phases, First&& first, Rest&&... rest) {
  static_assert(
      std::convertible_to<First, Scoring>,
      "the third argument of run is the Scoring: write {} in front of the observers to score on the phases' own data "
      "alone");
  return run(model, phases, Scoring{}, first, rest...);
}

/// Runs phases that are scored on their own data only.
inline History run(const Model& model, const std::vector<Phase>& phases) {
  return run(model, phases, Scoring{}, RunOptions{});
}
template <std::same_as<Phase> P>
History run(const Model& model, const P& phase) {
  return run(model, std::vector<Phase>{phase});
}

}  // namespace regimen::inline v0
