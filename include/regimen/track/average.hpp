#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include "regimen/base/json.hpp"
#include "regimen/base/manifest.hpp"
#include "regimen/key/moment.hpp"
#include "regimen/model/snapshot.hpp"
#include "regimen/model/weights.hpp"
#include "regimen/observe/event.hpp"
#include "regimen/record/history.hpp"
#include "regimen/regularize/concept.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/track/detail/weight_mean.hpp"

namespace regimen::inline v0 {

namespace detail {

/// A run was resumed after updates that this average does not have.
[[noreturn]] inline void average_was_not_loaded(const std::string& who) {
  throw Error(
      who +
      " did not see the beginning of what it is to average: save it with the checkpoint and load it; or begin_anew(), "
      "if it is to average from here on");
}

}  // namespace detail

/// The exponential moving average of a model's weights: mean = decay * mean + (1 - decay) * weights after each step
/// (Polyak and Juditsky 1992, in the form that practice took over). It begins as a copy of the weights after the first
/// step, so there is no bias to correct: as torch.optim.swa_utils.AveragedModel with get_ema_avg_fn and use_buffers.
///
/// An observer: it changes nothing of the training, and goes on from a checkpoint that holds it. Where steps are
/// recorded it acts between the replays. In a loop of your own call `update` after each step. Borrows the model.
///     regimen::ExponentialAverage average(net, {.decay = 0.999});
///     regimen::Checkpoint keep("run.pt", {}, net, sgd, average);
///     regimen::run(net, phases, scoring, keep, average);
///     {
///       const auto averaged = average.in_place();  // the network has the averages while it lives
///       test = regimen::evaluate(net, test_set, phase);
///     }
///     average.weights().restore(another_network);  // or: a copy
class ExponentialAverage {
 public:
  struct Rule {
    Share<"ExponentialAverage.decay"> decay = 0.999;
    bool warm_up = false;  ///< after n updates at most 1 - (1 + n)^(-2/3), as timm's ModelEmaV3 with use_warmup
    int every = 1;         ///< steps from one update to the next
    bool buffers = true;   ///< average BatchNorm's running statistics too; if not, they are the last ones
    std::string phase{};   ///< only of the phase of this name; empty: of all

    void check() const { detail::require(every >= 1, "ExponentialAverage.every", "at least 1", every); }
  };

  /// Throws Error unless decay is in [0, 1] and every >= 1.
  ExponentialAverage(const Weights& model, Rule rule) : rule_(std::move(rule)), mean_(model, rule_.buffers) {
    detail::check_fields(rule_);
  }
  explicit ExponentialAverage(const Weights& model) : ExponentialAverage(model, Rule{}) {}

  /// Throws Error, before the first step, if the run goes on after updates that were not loaded.
  void operator()(const RunBegin& begin) const {
    for (const Epoch& epoch : begin.history) {
      require_loaded(epoch.phase, epoch.clock);
    }
  }
  void operator()(const PhaseBegin& begin) {
    require_loaded(begin.name, begin.clock);
    asleep_ = !follows(begin.name);
  }
  void operator()(const Step& step) {
    if (!asleep_ && step.clock.step % rule_.every == 0) {
      update(step.pass.now);
    }
  }

  /// Takes the weights as they are now into the mean.
  void update(const Moment& now = {}) {
    double decay = detail::value_at(now, rule_.decay);
    rule_.decay.bounds().check(decay);
    if (rule_.warm_up) {
      decay = std::min(decay, 1 - std::pow(1 + static_cast<double>(mean_.updates()), -2.0 / 3));
    }
    mean_.move(1 - decay);
  }

  /// The averages, to look at or to put into a model of the same shape; before the first update the weights that the
  /// model was given over with. They move on with every update.
  [[nodiscard]] const Snapshot& weights() const { return mean_.values(); }

  /// The model has the averages while what this gives back lives, and its own weights afterwards, bit for bit. Not in
  /// the middle of a step.
  [[nodiscard]] detail::InPlace in_place() const { return {mean_.model(), mean_.values()}; }

  [[nodiscard]] std::int64_t updates() const { return mean_.updates(); }

  /// That a run which goes on from a checkpoint is to be averaged from there on, without what came before.
  void begin_anew() { anew_ = true; }

  /// Its rule, for the manifest of a run that it watches.
  [[nodiscard]] std::string manifest() const {
    return detail::json::Object().add("type", "\"ExponentialAverage\"").add("rule", regimen::manifest(rule_)).text();
  }

  void save(torch::serialize::OutputArchive& archive) const { mean_.save(archive); }
  void load(torch::serialize::InputArchive& archive) { mean_.load(archive); }

 private:
  [[nodiscard]] bool follows(const std::string& phase) const { return rule_.phase.empty() || phase == rule_.phase; }

  void require_loaded(const std::string& phase, const Clock& clock) const {
    if (follows(phase) && clock.step >= rule_.every && mean_.updates() == 0 && !anew_) {
      detail::average_was_not_loaded("ExponentialAverage");
    }
  }

  Rule rule_;
  detail::WeightMean mean_;
  bool asleep_ = false;
  bool anew_ = false;
};

/// Stochastic weight averaging: the mean of the weights at the ends of epochs, each counting the same (Izmailov et al.
/// 2018, algorithm 1; torch.optim.swa_utils.AveragedModel). The learning rate should stay high or cycle meanwhile: that
/// is its phase's own schedule.
///
/// An observer like ExponentialAverage, and used like it. Buffers are those of the last update, and BatchNorm's running
/// statistics are of weights that are no average: `reestimate_batch_norm` before scoring.
///     regimen::StochasticAverage average(net, {.first = 10});
///     regimen::run(net, phases, scoring, average);
///     const auto averaged = average.in_place();
///     regimen::reestimate_batch_norm(net, train, phase);
///     test = regimen::evaluate(net, test_set, phase);
class StochasticAverage {
 public:
  struct Rule {
    int first = 1;        ///< epochs of a phase after which the weights are taken for the first time
    int every = 1;        ///< epochs from one time to the next: the length of a cycle
    std::string phase{};  ///< only of the phase of this name; empty: of all

    void check() const {
      detail::require(first >= 1, "StochasticAverage.first", "at least 1", first);
      detail::require(every >= 1, "StochasticAverage.every", "at least 1", every);
    }
  };

  /// Throws Error unless first >= 1 and every >= 1.
  StochasticAverage(const Weights& model, Rule rule) : rule_(std::move(rule)), mean_(model, /*of_buffers=*/false) {
    detail::check_fields(rule_);
  }
  explicit StochasticAverage(const Weights& model) : StochasticAverage(model, Rule{}) {}

  /// Throws Error, before the first step, if the run goes on after an epoch whose weights count and were not loaded.
  void operator()(const RunBegin& begin) const {
    for (const Epoch& epoch : begin.history) {
      if (counts(epoch) && mean_.updates() == 0 && !anew_) {
        detail::average_was_not_loaded("StochasticAverage");
      }
    }
  }
  void operator()(const Epoch& epoch) {
    if (counts(epoch)) {
      update();
    }
  }

  /// Takes the weights as they are now into the mean.
  void update() { mean_.move(1 / (static_cast<double>(mean_.updates()) + 1)); }

  /// As of ExponentialAverage.
  [[nodiscard]] const Snapshot& weights() const { return mean_.values(); }
  [[nodiscard]] detail::InPlace in_place() const { return {mean_.model(), mean_.values()}; }
  [[nodiscard]] std::int64_t updates() const { return mean_.updates(); }

  /// That a run which goes on from a checkpoint is to be averaged from there on, without what came before.
  void begin_anew() { anew_ = true; }

  /// Its rule, for the manifest of a run that it watches.
  [[nodiscard]] std::string manifest() const {
    return detail::json::Object().add("type", "\"StochasticAverage\"").add("rule", regimen::manifest(rule_)).text();
  }

  void save(torch::serialize::OutputArchive& archive) const { mean_.save(archive); }
  void load(torch::serialize::InputArchive& archive) { mean_.load(archive); }

 private:
  [[nodiscard]] bool counts(const Epoch& epoch) const {
    const std::int64_t late = epoch.clock.epoch - rule_.first;
    return (rule_.phase.empty() || epoch.phase == rule_.phase) && late >= 0 && late % rule_.every == 0;
  }

  Rule rule_;
  detail::WeightMean mean_;
  bool anew_ = false;
};

}  // namespace regimen::inline v0
