#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "regimen/detail/guards.hpp"
#include "regimen/loss_scaler.hpp"
#include "regimen/phase.hpp"
#include "regimen/tap.hpp"

namespace regimen::inline v0::detail {

/// What one step minimizes: the loss of its batches and the penalties, with their gradients. Called as often as the
/// optimizer likes; each call computes the same thing anew.
class Objective {
 public:
  Objective(const Model& model, const Phase& phase, GeneratorGuard& generators)
      : model_(model), phase_(phase), generators_(generators), device_(model.device()) {
    pass_.model = &model_;
    if (phase.execute.precision == Precision::fp16) {
      scaler_.emplace();
    }
    const std::vector<at::Tensor> trained = phase.optimizer.parameters();
    const auto is_among = [](const std::vector<at::Tensor>& tensors, const at::Tensor& wanted) {
      return std::any_of(tensors.begin(), tensors.end(), [&](const at::Tensor& t) { return t.is_same(wanted); });
    };
    for (const at::Tensor& parameter : model.parameters()) {
      if (parameter.requires_grad() && is_among(trained, parameter)) {
        pass_.parameters.push_back(parameter);
      }
    }
    // The optimizer may hold tensors that the model does not: their gradients must not pile up either.
    cleared_ = model.parameters();
    for (const at::Tensor& parameter : trained) {
      if (!is_among(cleared_, parameter)) {
        cleared_.push_back(parameter);
      }
    }
  }

  /// Shows the batches of the next step: augmented, preprocessed, on the model's device.
  void prepare(const std::vector<Batch>& group, const Now& now) {
    pass_.now = now;
    pass_.evaluation = 0;
    if (now.slots == nullptr && (!phase_.augment.empty() || !phase_.preprocess.empty())) {
      generators_.seed(phase_.seed, now.clock.step, -2);  // for transforms that draw without their key
    }
    // The last step's graph must not outlive it: its nodes keep the stream they were made on, which a recording on
    // another one would have to wait for.
    pass_.output = at::Tensor();
    pass_.taps.clear();
    shown_.clear();
    samples_ = 0;
    for (const Batch& batch : group) {
      shown_.push_back(prepared(augmented(batch, now), phase_.preprocess, device_, now));
      samples_ += batch.size();
    }
  }

  /// Seeds the generators for the scoring after these steps, for models and measures that draw: what an observer drew,
  /// or a process that died, must not reach the scores.
  void seed_scoring(const Clock& clock) { generators_.seed(phase_.seed, clock.step, -1); }

  /// Seeds the generators for the forward passes of a step. Where it is recorded, this comes before it.
  void seed_step(const Clock& clock) { generators_.seed(phase_.seed, clock.step, 0); }

  at::Tensor operator()() {
    forget_gradients();
    if (pass_.now.slots == nullptr) {
      seed_step(pass_.now.clock);
    }
    at::Tensor total;
    at::Tensor loss;
    for (std::size_t i = 0; i < shown_.size(); ++i) {
      const auto [part_loss, part_objective] = evaluate(shown_[i]);
      add_share(loss, part_loss.detach(), i);
      add_share(total, part_objective.detach(), i);
    }
    loss_ = loss;
    // However often it is evaluated, a step counts once for the scaler.
    finite_ = !scaler_ || (pass_.evaluation == 0 ? scaler_->unscale(cleared_) : scaler_->unscale_again(cleared_));
    pass_.again = [this] { evaluate_again(); };
    for (const AnyRegularizer& regularizer : phase_.regularize) {
      if (finite_) {
        regularizer.gradient(pass_);
      }
    }
    pass_.again = nullptr;
    ++pass_.evaluation;
    return total;
  }

  void edit_weights() {
    for (const AnyRegularizer& regularizer : phase_.regularize) {
      regularizer.weights(pass_);
    }
    pass_.now.slots = nullptr;  // whoever looks at the pass afterwards is no part of the step
  }

  /// Whether the gradients of the last evaluation did not overflow in fp16; if they did, its step is left out.
  [[nodiscard]] bool finite() const { return finite_; }

  /// Of fp16; none in other precisions.
  [[nodiscard]] std::optional<LossScaler>& scaler() { return scaler_; }

  /// What the last evaluation has left behind: the tensors that a recording of it writes anew at every replay.
  struct Trace {
    Pass pass;
    at::Tensor loss;
    std::int64_t samples = 0;
    std::vector<at::Tensor> gradients;
  };

  [[nodiscard]] Trace trace() const {
    Trace trace{pass_, loss_, samples_, {}};
    trace.pass.output = pass_.output.detach();
    for (const at::Tensor& parameter : cleared_) {
      trace.gradients.push_back(parameter.grad());
    }
    return trace;
  }

  /// As if the step had been evaluated here, after a replay of it at this moment: other steps may have left theirs.
  void replayed(const Trace& trace, const Now& now) {
    pass_ = trace.pass;
    pass_.now = now;
    loss_ = trace.loss;
    samples_ = trace.samples;
    finite_ = true;
    for (std::size_t i = 0; i < cleared_.size(); ++i) {
      cleared_[i].mutable_grad() = trace.gradients[i];
    }
  }

  /// Of the last evaluation, without penalties, 0-d.
  [[nodiscard]] const at::Tensor& loss() const { return loss_; }
  [[nodiscard]] const Pass& pass() const { return pass_; }
  [[nodiscard]] std::int64_t samples() const { return samples_; }

 private:
  [[nodiscard]] Batch augmented(const Batch& batch, const Now& now) const {
    if (phase_.augment.empty()) {
      return batch;
    }
    const Key key = Key(phase_.seed, batch.id, now).fold(salt::augment).each_epoch();
    Batch result = batch;
    for (std::size_t i = 0; i < phase_.augment.size(); ++i) {
      result = phase_.augment[i](result, key.fold(i));
    }
    return result;
  }

  void forget_gradients() {
    for (at::Tensor& parameter : cleared_) {
      parameter.mutable_grad() = at::Tensor();
    }
  }

  /// For a gradient hook that has moved the weights: the gradients there, as `operator()` computes them before the
  /// hooks. The loss, and what watchers see of the pass, stay those of the first time.
  void evaluate_again() {
    if (pass_.now.slots != nullptr) {
      pass_.now.slots->refuse(
          "it computes its gradient twice, with the same random numbers: "
          "the generators are seeded in between, from the host");
    }
    const at::AutoGradMode with_gradients(true);
    const Batch batch = pass_.batch;
    const at::Tensor output = pass_.output;
    const std::vector<at::Tensor> taps = pass_.taps;
    forget_gradients();
    seed_step(pass_.now.clock);
    for (const Batch& shown : shown_) {
      (void)evaluate(shown);
    }
    pass_.batch = batch;
    pass_.output = output;
    pass_.taps = taps;
    finite_ = !scaler_ || scaler_->unscale_again(cleared_);
  }

  /// Forward and backward on one of the step's batches: its loss, and its loss with penalties.
  std::pair<at::Tensor, at::Tensor> evaluate(const Batch& batch) {
    if (phase_.regularize.empty()) {
      pass_.batch = batch;
      pass_.output = phase_.execute.forward(model_, batch);
    } else {
      const Taps taps;
      pass_.batch = batch;
      pass_.output = phase_.execute.forward(model_, batch);
      pass_.taps = taps.tensors();
    }
    const at::Tensor loss = phase_.loss(pass_.output, batch.target);
    at::Tensor objective = loss;
    for (const AnyRegularizer& regularizer : phase_.regularize) {
      const at::Tensor penalty = regularizer.penalty(pass_);
      if (penalty.defined()) {
        objective = objective + penalty;
      }
    }
    const at::Tensor counted = shown_.size() == 1 ? objective : objective * share(batch);
    (scaler_ ? scaler_->scale(counted) : counted).backward();
    return {loss, objective};
  }

  /// A batch counts as much as it has samples, so that accumulating two halves is the same as one whole.
  [[nodiscard]] double share(const Batch& batch) const {
    return static_cast<double>(batch.size()) / static_cast<double>(samples_);
  }

  void add_share(at::Tensor& sum, const at::Tensor& part, std::size_t i) const {
    if (shown_.size() == 1) {
      sum = part;
    } else {
      sum = sum.defined() ? sum + part * share(shown_[i]) : part * share(shown_[i]);
    }
  }

  const Model& model_;
  const Phase& phase_;
  GeneratorGuard& generators_;
  at::Device device_;
  std::vector<at::Tensor> cleared_;
  std::vector<Batch> shown_;
  std::int64_t samples_ = 0;
  at::Tensor loss_;
  std::optional<LossScaler> scaler_;
  bool finite_ = true;
  Pass pass_;
};

}  // namespace regimen::inline v0::detail
