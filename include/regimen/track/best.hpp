#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/model/snapshot.hpp"
#include "regimen/model/weights.hpp"
#include "regimen/observe/event.hpp"

namespace regimen::inline v0 {

/// The weights of the best epoch by a metric: parameters and buffers at the epoch's end. Of equally good epochs the
/// first is kept; epochs without a score are skipped. Changes nothing before `restore`; holds one copy of the model.
///
/// The default is a validation metric: with a metric of the test set, that would become a training set.
///     regimen::Best best(net);
///     regimen::run(net, {phase}, {.clean = train, .test = test, .validation = validation}, best);
///     best.restore();
///     best.add(accuracy, t);  // in a loop of your own, or best(epoch)
class Best {
 public:
  /// `phase`: name of the one phase to follow; if empty, all phases.
  explicit Best(const Weights& model, Metric metric = Metric::validation_loss, std::string phase = "")
      : model_(model), metric_(metric), phase_(std::move(phase)) {}

  Best(const Best&) = delete;
  Best& operator=(const Best&) = delete;

  /// Throws Error if the run is resumed and its best weights so far were not loaded.
  void operator()(const RunBegin& begin) const {
    for (const Epoch& epoch : begin.history) {
      if (follows(epoch) && better(value_of(epoch, metric_))) {
        throw Error(
            "Best: the weights of an earlier epoch are the best so far, and they are gone: save Best with the "
            "checkpoint and load it");
      }
    }
  }

  void operator()(const Epoch& epoch) {
    if (follows(epoch)) {
      add(value_of(epoch, metric_), epoch.clock);
    }
  }

  /// Keeps the current model if this value of the metric is the best so far; NaN means not scored.
  void add(double value, const Clock& clock = {}) {
    if (better(value)) {
      kept_.emplace(model_);
      value_ = value;
      clock_ = clock;
    }
  }

  /// Whether any epoch was scored.
  [[nodiscard]] bool kept() const { return kept_.has_value(); }

  /// The metric's value at the best epoch; NaN if none was scored.
  [[nodiscard]] double value() const { return value_; }

  /// Time of the best epoch's end: `epoch` is 1 after the first.
  [[nodiscard]] const Clock& clock() const { return clock_; }

  /// The best weights. Throws Error if no epoch was scored.
  [[nodiscard]] const Snapshot& snapshot() const {
    if (!kept_) {
      throw Error("Best has kept nothing: no epoch was scored by " + name_of(metric_));
    }
    return *kept_;
  }

  /// Restores the best weights into the model. Throws Error if no epoch was scored.
  void restore() const { snapshot().restore(); }

  /// What it looks at: `run` throws Error before the first step if that is never scored.
  [[nodiscard]] std::vector<Metric> metrics() const { return {metric_}; }

  /// Metric and phase as JSON, for the manifest of a run.
  [[nodiscard]] std::string manifest() const {
    return detail::json::Object()
        .add("type", "\"Best\"")
        .add("metric", detail::json::quoted(name_of(metric_)))
        .add("phase", detail::json::quoted(phase_))
        .text();
  }

  /// Writes the best weights to a checkpoint's archive.
  template <class Archive>
  void save(Archive& archive) const {
    const std::vector<std::int64_t> when = {clock_.phase, clock_.epoch, clock_.batch, clock_.batches, clock_.step};
    archive.write("value", at::tensor(std::vector<double>{value_}, at::kDouble), true);
    archive.write("clock", at::tensor(when, at::kLong), true);
    for (std::size_t i = 0; kept_ && i < kept_->tensors().size(); ++i) {
      archive.write("tensor" + detail::text(i), kept_->tensors()[i].tensor, true);
    }
  }

  /// Reads the best weights from a checkpoint's archive. Throws Error if it is of another model.
  template <class Archive>
  void load(Archive& archive) {
    const at::NoGradGuard no_grad;
    at::Tensor value;
    at::Tensor when;
    archive.read("value", value, true);
    archive.read("clock", when, true);
    detail::require(value.numel() == 1 && when.numel() == 5, "Best: what was saved", "a value and a clock",
                    "something else");
    const auto best = value[0].item<double>();
    std::optional<Snapshot> kept;
    if (!std::isnan(best)) {
      kept.emplace(model_);
    }
    for (std::size_t i = 0; kept && i < kept->tensors().size(); ++i) {
      const Named& named = kept->tensors()[i];
      at::Tensor stored;
      archive.read("tensor" + detail::text(i), stored, true);
      if (stored.sizes() != named.tensor.sizes() || stored.scalar_type() != named.tensor.scalar_type()) {
        throw Error("Best: " + named.name + " has another shape or type there");
      }
      at::Tensor target = named.tensor;
      target.copy_(stored);
    }
    const auto number = [&](std::int64_t i) { return when[i].item<std::int64_t>(); };
    clock_ = {static_cast<int>(number(0)), number(1), number(2), number(3), number(4)};
    value_ = best;
    kept_ = std::move(kept);
  }

 private:
  [[nodiscard]] bool follows(const Epoch& epoch) const { return phase_.empty() || epoch.phase == phase_; }

  [[nodiscard]] bool better(double value) const {
    return !std::isnan(value) && (std::isnan(value_) || (larger_is_better(metric_) ? value > value_ : value < value_));
  }

  Weights model_;
  Metric metric_;
  std::string phase_;
  std::optional<Snapshot> kept_;
  double value_ = unknown;
  Clock clock_{};
};

}  // namespace regimen::inline v0
