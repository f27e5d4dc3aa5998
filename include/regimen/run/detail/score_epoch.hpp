#pragma once

#include <cmath>
#include <functional>

#include "regimen/evaluate/evaluate.hpp"
#include "regimen/run/as_in_phase.hpp"
#include "regimen/run/detail/shared_score.hpp"
#include "regimen/run/phase.hpp"
#include "regimen/run/scoring.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0::detail {

/// Scores the model into an epoch's record if a scoring is due.
struct EpochScorer {
  const Model& model;
  const Phase& phase;
  const Scoring& scoring;
  Moment trained;     ///< moment of the scored epoch's begin
  bool finite;        ///< true if loss and weights are finite
  LookAtOutput look;  ///< called with all outputs of the scoring
  const DataParallel& share;
  std::function<void(std::int64_t)>
      begin_batch;  ///< in a shared run called before each batch, and with -1 before measures

  /// Scores the epoch. A phase's last epoch is always scored, also if only is_over(), with `fit` in the record, finds
  /// that it is the last one.
  void score(Epoch& epoch, const std::function<bool()>& is_over) const {
    const std::int64_t fit_every = scoring.fit_every > 0 ? scoring.fit_every : scoring.every;
    bool last = epoch.clock.epoch == phase.epochs || !finite;
    const auto due = [&](std::int64_t every) { return last || epoch.clock.epoch % every == 0; };
    if (due(scoring.every) || due(fit_every)) {
      epoch.fit = score_fit();
    }
    last = last || is_over();
    if (!due(scoring.every)) {
      return;
    }
    if (!epoch.fit.scored()) {
      epoch.fit = score_fit();
    }
    const bool same = scoring.clean.same_as(phase.data) && epoch.fit.scored();
    epoch.clean = same ? epoch.fit : score(scoring.clean);
    epoch.test = score(scoring.test);
    epoch.validation = score(scoring.validation);
    measure(epoch);
  }

 private:
  [[nodiscard]] Evaluation how() const {
    Evaluation result = evaluation_of(phase);
    result.batch = scoring.batch;
    result.now = trained;
    return result;
  }

  [[nodiscard]] Score score(const Source& source) const {
    if (!source.defined()) {
      return {};
    }
    return share ? score_together(share, model, source, how(), look, begin_batch)
                 : score_source(model, source, how(), look);
  }

  [[nodiscard]] Score score_fit() const { return scoring.score_fit ? score(phase.data) : Score{}; }

  void measure(Epoch& epoch) const {
    if (scoring.measures.empty()) {
      return;
    }
    Probe probe(model);
    probe.how = how();
    probe.fit = phase.data;
    probe.clean = scoring.clean;
    probe.test = scoring.test;
    probe.validation = scoring.validation;
    probe.clock = epoch.clock;
    if (share) {
      begin_batch(-1);  // each process has scored other batches
    }
    for (const auto& [name, take] : scoring.measures) {
      epoch.measures.merge(take.numbers(name, probe));
    }
  }
};

}  // namespace regimen::inline v0::detail
