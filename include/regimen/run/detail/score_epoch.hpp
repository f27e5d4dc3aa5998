#pragma once

#include <cmath>
#include <functional>

#include "regimen/evaluate/evaluate.hpp"
#include "regimen/run/as_in_phase.hpp"
#include "regimen/run/phase.hpp"
#include "regimen/run/scoring.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0::detail {

/// Scores the model into an epoch's record, as far as it is the epoch's turn.
struct EpochScorer {
  const Model& model;
  const Phase& phase;
  const Splits& splits;
  Now trained;        ///< when the epoch that is scored began
  bool finite;        ///< loss and weights are
  LookAtOutput look;  ///< at all outputs that are scored

  /// A phase's last epoch is always scored, also when `is_over` finds only then, with fit in the record, that it is the
  /// last.
  void score(Epoch& epoch, const std::function<bool()>& is_over) const {
    const std::int64_t fit_every = splits.fit_every > 0 ? splits.fit_every : splits.every;
    bool last = epoch.clock.epoch == phase.epochs || !finite;
    const auto due = [&](std::int64_t every) { return last || epoch.clock.epoch % every == 0; };
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
    epoch.clean = same ? epoch.fit : score(splits.clean);
    epoch.test = score(splits.test);
    epoch.validation = score(splits.validation);
    measure(epoch);
  }

 private:
  [[nodiscard]] Evaluation how() const {
    Evaluation result = evaluation_of(phase);
    result.batch = splits.batch;
    result.now = trained;
    return result;
  }

  [[nodiscard]] Score score(const Source& source) const {
    return source.defined() ? score_source(model, source, how(), look) : Score{};
  }

  [[nodiscard]] Score score_fit() const { return splits.score_fit ? score(phase.data) : Score{}; }

  void measure(Epoch& epoch) const {
    if (splits.measures.empty()) {
      return;
    }
    Probe probe(model);
    probe.how = how();
    probe.fit = phase.data;
    probe.clean = splits.clean;
    probe.test = splits.test;
    probe.validation = splits.validation;
    probe.clock = epoch.clock;
    for (const auto& [name, take] : splits.measures) {
      epoch.measures.merge(take.numbers(name, probe));
    }
  }
};

}  // namespace regimen::inline v0::detail
