#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "regimen/evaluate.hpp"
#include "regimen/event.hpp"
#include "regimen/execute.hpp"
#include "regimen/integer.hpp"
#include "regimen/loss.hpp"
#include "regimen/measure.hpp"
#include "regimen/optimizer.hpp"
#include "regimen/regularize.hpp"
#include "regimen/schedule.hpp"
#include "regimen/source.hpp"
#include "regimen/stop.hpp"
#include "regimen/transform.hpp"

namespace regimen::inline v0 {

/// One phase of a regime: what the network is shown, what it is pulled towards, how strongly, and when it is over.
/// `data`, `optimizer` and `epochs` must be set.
struct Phase {
  std::string name = "train";
  Source data{};                   ///< damage included, as the network is to learn it
  OptimizerRef optimizer{};        ///< borrowed; its state is cleared when the phase begins
  Integer epochs = 0;              ///< at most so many; bounds every phase
  Stop until{};                    ///< asked at the head of every epoch but the first
  Knob lr_scale = 1;               ///< times the optimizer's own learning rates, for the length of a step
  std::optional<Knob> momentum{};  ///< in (0, 1), instead of the optimizer's own; Adam's and AdamW's first beta
  Knob weight_decay_scale = 1;     ///< times the optimizer's own weight decays
  Integer batch = 128;             ///< samples a batch
  AnyLoss loss = CrossEntropy{};
  std::vector<AnyTransform> augment{};       ///< fresh at every epoch; in training only
  std::vector<AnyTransform> preprocess{};    ///< after augmentation, and in scoring: normalization
  std::vector<AnyRegularizer> regularize{};  ///< each kind of hook in this order
  Integer accumulate = 1;                    ///< batches whose gradients make one step
  std::vector<std::string> freeze{};         ///< parameters, or modules by name, that keep their values; buffers,
                                             ///< BatchNorm's running statistics among them, go on moving
  std::vector<std::string> eval{};           ///< modules by name that are in eval mode while the others are trained:
                                             ///< no dropout, and BatchNorm as it is. Name a frozen backbone in both
  Execution execute{};                       ///< precision and memory format
  std::uint64_t seed = 0;                    ///< keys the data's order, augmentation, and dropout
  bool shuffle = true;
  bool drop_last = false;              ///< leave out a last batch that would be smaller
  bool carry_optimizer_state = false;  ///< begin with the optimizer's state as it is

  /// Throws Error for a field out of its bounds.
  void check() const {
    const std::string who = "Phase \"" + name + "\".";
    if (!data.defined()) {
      throw Error(who + "data must be set");
    }
    if (!optimizer.defined()) {
      throw Error(who + "optimizer must be set");
    }
    if (!data.size()) {
      throw Error(who + "data must end: limit(stream, samples) says where an epoch of a stream does");
    }
    detail::require(*data.size() > 0, who + "data.size()", "above 0", *data.size());
    detail::require(epochs >= 1, who + "epochs", "at least 1", epochs);
    detail::require(batch >= 1, who + "batch", "at least 1", batch);
    detail::require(!drop_last || batch <= *data.size(), who + "batch",
                    "at most data.size() = " + detail::text(*data.size()) + " with drop_last", batch);
    detail::require(accumulate >= 1, who + "accumulate", "at least 1", accumulate);
    const std::string scale = who + "lr_scale";
    detail::Bounds::not_negative(scale).check(lr_scale);
    check_driven(who);
  }

 private:
  void check_driven(const std::string& who) const {
    const std::string decay_field = who + "weight_decay_scale";
    const std::string momentum_field = who + "momentum";
    detail::Bounds::not_negative(decay_field).check(weight_decay_scale);
    if (momentum) {
      detail::Bounds::open(momentum_field).check(*momentum);
    }
    const bool decay_is_driven = !weight_decay_scale.constant() || weight_decay_scale({}) != 1;
    if ((momentum || decay_is_driven) && !optimizer.has_momentum()) {
      throw Error((momentum ? momentum_field : decay_field) +
                  " drives SGD, Adam, AdamW, RMSprop, and what derives from them, given as themselves: this optimizer "
                  "is none of them");
    }
  }
};

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

/// What a run is scored on, and how often. Everything may be left out; what is missing is not scored.
struct Splits {
  Source clean{};         ///< the training data as they were before any damage
  Source test{};          ///< held out, for the record: nothing should be decided by it
  Source validation{};    ///< held out, for stop criteria and schedules
  Integer every = 1;      ///< epochs between scorings; a phase's last epoch is always scored
  Integer fit_every = 0;  ///< epochs between scorings of fit alone, where a stop criterion needs them; 0: as `every`
  bool score_fit = true;  ///< whether to score the phase's own data
  std::map<std::string, AnyMeasure> measures{};  ///< taken at each scoring
  Integer batch = 128;                           ///< samples at a time in scoring; as `Evaluation::batch`

  void check() const {
    detail::require(every >= 1, "Splits.every", "at least 1", every);
    detail::require(fit_every >= 0, "Splits.fit_every", "at least 0", fit_every);
    detail::require(batch >= 1, "Splits.batch", "at least 1", batch);
    check(clean, "Splits.clean");
    check(test, "Splits.test");
    check(validation, "Splits.validation");
    for (const auto& [name, measure] : measures) {
      if (!measure) {
        throw Error("Splits.measures[\"" + name + "\"] must be set");
      }
    }
  }

  /// Whether a run with these splits scores this metric.
  [[nodiscard]] bool scores(Metric metric) const {
    switch (metric) {
      case Metric::fit_accuracy:
      case Metric::fit_loss:
        return score_fit;
      case Metric::clean_accuracy:
      case Metric::clean_loss:
        return clean.defined();
      case Metric::test_accuracy:
      case Metric::test_loss:
        return test.defined();
      default:
        return validation.defined();
    }
  }

 private:
  static void check(const Source& source, const std::string& field) {
    if (!source.defined()) {
      return;
    }
    if (!source.size()) {
      throw Error(field + " must end: limit(stream, samples) makes a stream do so");
    }
    detail::require(*source.size() > 0, field + ".size()", "above 0", *source.size());
  }
};

/// Where a run begins and how it may be ended from outside.
struct RunOptions {
  State from{};            ///< go on from here, after loading model and optimizers from the same checkpoint
  std::stop_token stop{};  ///< a requested stop ends the run after the step that is being taken
};

}  // namespace regimen::inline v0
