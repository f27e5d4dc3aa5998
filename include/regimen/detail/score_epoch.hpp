#pragma once

#include <cmath>
#include <functional>

#include "regimen/evaluate.hpp"
#include "regimen/phase.hpp"

namespace regimen::inline v0::detail {

/// Scores the model into an epoch's record, as far as it is the epoch's turn. A phase's last epoch is always scored,
/// also when `is_over` finds only then, with fit in the record, that it is the last.
inline void score_epoch(const Model& model, const Phase& phase, const Splits& splits, const Now& trained,
                        const std::function<bool()>& is_over, Epoch& epoch) {
  const int fit_every = splits.fit_every > 0 ? splits.fit_every : splits.every;
  bool last = epoch.clock.epoch == phase.epochs || !std::isfinite(epoch.train_loss);
  const auto due = [&](int every) { return last || epoch.clock.epoch % every == 0; };
  const Evaluation how{.loss = phase.loss,
                       .preprocess = phase.preprocess,
                       .execute = phase.execute,
                       .batch = splits.batch,
                       .now = trained};
  const auto score_if_there = [&](const Source& source) {
    return source.defined() ? evaluate(model, source, how) : Score{};
  };
  const auto score_fit = [&] { return splits.score_fit ? evaluate(model, phase.data, how) : Score{}; };

  if (due(splits.every) || due(fit_every)) {
    epoch.fit = score_fit();
  }
  last = last || is_over();
  if (!due(splits.every)) {
    return;
  }
  if (!epoch.fit.scored()) {
    epoch.fit = score_fit();
  }
  const bool same = splits.clean.same_as(phase.data) && epoch.fit.scored();
  epoch.clean = same ? epoch.fit : score_if_there(splits.clean);
  epoch.test = score_if_there(splits.test);
  epoch.validation = score_if_there(splits.validation);
  for (const auto& [name, measure] : splits.measures) {
    epoch.measures[name] = measure(model);
  }
}

}  // namespace regimen::inline v0::detail
