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

/// Throws the error of a run that was resumed after updates which this average does not have.
[[noreturn]] inline void average_was_not_loaded(const std::string& who) {
  throw Error(
      who +
      " did not see the beginning of what it is to average: save it with the checkpoint and load it; or begin_anew(), "
      "if it is to average from here on");
}

}  // namespace detail

/// The exponential moving average of a model's weights: mean = decay * mean + (1 - decay) * weights after each step
/// (Polyak and Juditsky 1992, in the form used in practice). It begins as a copy of the weights after the first step,
/// so no bias has to be corrected: as torch.optim.swa_utils.AveragedModel with get_ema_avg_fn and use_buffers.
///
/// The average is an observer, and is continued from a checkpoint that holds it. With recorded steps it acts between
/// the replays. In a loop of your own call `update` after each step. Borrows the model.
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
    bool warm_up = false;  ///< after n updates decay is at most 1 - (1 + n)^(-2/3), as timm's ModelEmaV3 with
                           ///< use_warmup
    int every = 1;         ///< steps between two updates, at least 1
    bool buffers = true;   ///< average BatchNorm's running statistics too; if false, keep the last ones
    std::string phase{};   ///< name of the one phase to average; empty: all phases

    void check() const { detail::require(every >= 1, "ExponentialAverage.every", "at least 1", every); }
  };

  /// Throws Error unless decay is in [0, 1] and every >= 1.
  ExponentialAverage(const Weights& model, Rule rule) : rule_(std::move(rule)), mean_(model, rule_.buffers) {
    detail::check_fields(rule_);
  }
  explicit ExponentialAverage(const Weights& model) : ExponentialAverage(model, Rule{}) {}

  /// Throws Error, before the first step, if the run is resumed after updates that were not loaded.
  void operator()(const RunBegin& begin) const {
    for (const Epoch& epoch : begin.history) {
      require_loaded(epoch.phase, epoch.clock);
    }
  }
  void operator()(const PhaseBegin& begin) {
    require_loaded(begin.name, begin.clock);
    outside_phase_ = !follows(begin.name);
  }
  void operator()(const Step& step) {
    if (!outside_phase_ && step.clock.step % rule_.every == 0) {
      update(step.pass.now);
    }
  }

  /// Adds the current weights to the mean.
  void update(const Moment& now = {}) {
    double decay = detail::value_at(now, rule_.decay);
    rule_.decay.bounds().check(decay);
    if (rule_.warm_up) {
      decay = std::min(decay, 1 - std::pow(1 + static_cast<double>(mean_.updates()), -2.0 / 3));
    }
    mean_.move(1 - decay);
  }

  /// The averages, to be read or restored into a model of the same shapes; before the first update the weights at
  /// construction. They change with every update.
  [[nodiscard]] const Snapshot& weights() const { return mean_.values(); }

  /// A guard for whose lifetime the model has the averages; afterwards it has its own weights again, bit for bit. Do
  /// not use it in the middle of a step.
  [[nodiscard]] detail::InPlace in_place() const { return {mean_.model(), mean_.values()}; }

  [[nodiscard]] std::int64_t updates() const { return mean_.updates(); }

  /// Lets a resumed run begin a new average, without the weights before.
  void begin_anew() { anew_ = true; }

  /// The rule as JSON, for the manifest of a run.
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
  bool outside_phase_ = false;
  bool anew_ = false;
};

/// Stochastic weight averaging: the mean of the weights at the ends of epochs, with equal weights (Izmailov et al.
/// 2018, algorithm 1; torch.optim.swa_utils.AveragedModel). The learning rate should stay high or cycle meanwhile, by
/// the phase's own schedule.
///
/// The average is an observer and is used like ExponentialAverage. Buffers are those of the last update, so BatchNorm's
/// running statistics do not belong to the averaged weights: call `reestimate_batch_norm` before scoring.
///     regimen::StochasticAverage average(net, {.first = 10});
///     regimen::run(net, phases, scoring, average);
///     const auto averaged = average.in_place();
///     regimen::reestimate_batch_norm(net, train, phase);
///     test = regimen::evaluate(net, test_set, phase);
class StochasticAverage {
 public:
  struct Rule {
    int first = 1;        ///< epochs of a phase before the first update, at least 1
    int every = 1;        ///< epochs between two updates, at least 1: the length of a cycle
    std::string phase{};  ///< name of the one phase to average; empty: all phases

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

  /// Throws Error, before the first step, if the run is resumed after an update that was not loaded.
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

  /// Adds the current weights to the mean.
  void update() { mean_.move(1 / (static_cast<double>(mean_.updates()) + 1)); }

  /// The averages, and the guard that puts them into the model, as in ExponentialAverage.
  [[nodiscard]] const Snapshot& weights() const { return mean_.values(); }
  [[nodiscard]] detail::InPlace in_place() const { return {mean_.model(), mean_.values()}; }
  [[nodiscard]] std::int64_t updates() const { return mean_.updates(); }

  /// Lets a resumed run begin a new average, without the weights before.
  void begin_anew() { anew_ = true; }

  /// The rule as JSON, for the manifest of a run.
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
