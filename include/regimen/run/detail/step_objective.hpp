#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "regimen/key/generator_guard.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/model/tap.hpp"
#include "regimen/optimizer/loss_scaler.hpp"
#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/pass.hpp"
#include "regimen/run/detail/augmented.hpp"
#include "regimen/run/detail/shared_step.hpp"
#include "regimen/run/phase.hpp"
#include "regimen/tensor/autocast.hpp"
#include "regimen/tensor/named.hpp"

namespace regimen::inline v0::detail {

/// The objective of one step: the loss of its batches and the penalties, with their gradients. An optimizer may call it
/// several times; each call computes the same anew.
class StepObjective {
 public:
  /// sharing: nullptr, or how the step is shared by processes.
  StepObjective(const Model& model, const Phase& phase, GeneratorGuard& generators, Sharing* sharing = nullptr)
      : model_(model), phase_(phase), generators_(generators), device_(model.device()) {
    pass_.model = &model_;
    if (phase.execute.precision == Precision::fp16) {
      scaler_.emplace();
    }
    const std::vector<at::Tensor> stepped = phase.optimizer.parameters();
    std::vector<at::Tensor> trained;
    for (const at::Tensor& parameter : model.parameters()) {
      const auto same = [&](const at::Tensor& other) { return other.is_same(parameter); };
      if (parameter.requires_grad() && std::any_of(stepped.begin(), stepped.end(), same)) {
        trained.push_back(parameter);
      }
    }
    pass_.parameters = trained;
    // Gradients of tensors that only the optimizer holds must be cleared too.
    std::vector<at::Tensor> all = model.parameters();
    all.insert(all.end(), stepped.begin(), stepped.end());
    cleared_ = DistinctTensors(std::move(all));
    if (sharing != nullptr) {
      shared_.emplace(*sharing, model, phase, cleared_);
    }
  }

  /// Takes the batches of the next step, and augments and preprocesses them on the model's device.
  void prepare(const std::vector<Batch>& group, const Moment& now) {
    pass_.now = now;
    pass_.evaluation = 0;
    if (now.slots == nullptr && (!phase_.augment.empty() || !phase_.preprocess.empty())) {
      generators_.seed(phase_.seed, now.clock.step, Purpose::transforms);
    }
    // The last step's graph must be freed first: its nodes hold the stream that they were made on, and a recording on
    // another stream would have to wait for it.
    pass_.output = at::Tensor();
    pass_.taps.clear();
    shown_.clear();
    samples_ = 0;
    if (shared_) {
      shared_->prepare(group, now.clock, [&](const Batch& rows, int shard) {
        generators_.seed(phase_.seed, now.clock.step, Purpose::transforms, shard + 1);
        return shown(rows, phase_, device_, now);
      });
      samples_ = shared_->samples();
      return;
    }
    for (const Batch& batch : group) {
      shown_.push_back(shown(batch, phase_, device_, now));
      samples_ += batch.size();
    }
  }

  /// Seeds the generators for the scoring after these steps, for models and measures that draw: scores must not depend
  /// on what an observer drew, or on a restart.
  void seed_scoring(const Clock& clock, std::int64_t part) {
    generators_.seed(phase_.seed, clock.step, Purpose::scoring, part);
  }

  /// Seeds the generators for the forward passes of a step; for a recorded step it is called before.
  void seed_step(const Clock& clock) { generators_.seed(phase_.seed, clock.step, Purpose::forward); }

  at::Tensor operator()() {
    forget_gradients();
    if (pass_.now.slots == nullptr) {
      seed_step(pass_.now.clock);
    }
    if (shared_) {
      shared_->forget_outputs();
    }
    const Sums sums = evaluate_all(/*is_again=*/false);
    loss_ = sums.loss;
    // A step counts once for the scaler, however often it is evaluated.
    finite_ = !scaler_ || (pass_.evaluation == 0 ? scaler_->unscale(cleared_) : scaler_->unscale_again(cleared_));
    pass_.recompute_gradients = [this] { evaluate_again(); };
    for (const AnyRegularizer& regularizer : phase_.regularize) {
      if (finite_) {
        regularizer.gradient(pass_);
      }
    }
    pass_.recompute_gradients = nullptr;
    ++pass_.evaluation;
    return sums.objective;
  }

  void edit_weights() {
    for (const AnyRegularizer& regularizer : phase_.regularize) {
      regularizer.weights(pass_);
    }
    pass_.now.slots = nullptr;  // readers of the pass after the step are not part of it
  }

  /// In a shared run: makes the pass that of the step's last batch, as all processes together saw it.
  void gather_pass() {
    SharedStep::Whole whole = shared_->whole();
    pass_.batch = std::move(whole.batch);
    pass_.output = std::move(whole.output);
  }

  /// False if the gradients of the last evaluation overflowed in fp16; then its step is skipped.
  [[nodiscard]] bool finite() const { return finite_; }

  /// The loss scaler of fp16; nullopt in other precisions.
  [[nodiscard]] std::optional<LossScaler>& scaler() { return scaler_; }

  /// The results of the last evaluation: the tensors that a recording of it overwrites at every replay.
  struct Trace {
    Pass pass;
    at::Tensor loss;
    LossCount count = 0;
    std::int64_t samples = 0;
    std::vector<at::Tensor> gradients;
  };

  [[nodiscard]] Trace trace() const {
    Trace trace{pass_, loss_, count_, samples_, {}};
    trace.pass.output = pass_.output.detach();
    for (const at::Tensor& parameter : cleared_) {
      trace.gradients.push_back(parameter.grad());
    }
    return trace;
  }

  /// Call after a replay: makes loss, pass and gradients the recorded step's tensors again, which an eager step in
  /// between has replaced.
  void replayed(const Trace& trace, const Moment& now) {
    pass_ = trace.pass;
    pass_.now = now;
    loss_ = trace.loss;
    count_ = trace.count;
    samples_ = trace.samples;
    finite_ = true;
    for (std::size_t i = 0; i < cleared_.size(); ++i) {
      at::Tensor parameter = cleared_[i];
      parameter.mutable_grad() = trace.gradients[i];
    }
  }

  /// The loss of the last evaluation without penalties, 0-d.
  [[nodiscard]] const at::Tensor& loss() const { return loss_; }

  /// The denominator of the mean loss; for a sum, the number of samples.
  [[nodiscard]] LossCount count() const { return phase_.loss.sums() ? LossCount(samples_) : count_; }
  [[nodiscard]] const Pass& pass() const { return pass_; }
  [[nodiscard]] std::int64_t samples() const { return samples_; }

 private:
  void forget_gradients() {
    for (at::Tensor parameter : cleared_) {
      parameter.mutable_grad() = at::Tensor();
    }
  }

  /// Computes the gradients at moved weights for a gradient hook, as `operator()` does before the hooks. The loss and
  /// the pass that observers see stay those of the first evaluation.
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
    (void)evaluate_all(/*is_again=*/true);
    pass_.batch = batch;
    pass_.output = output;
    pass_.taps = taps;
    finite_ = !scaler_ || scaler_->unscale_again(cleared_);
  }

  /// Sums over the step's batches, without graphs.
  struct Sums {
    at::Tensor loss;
    at::Tensor objective;  ///< loss with penalties
  };

  /// Forward and backward passes of all of the step's batches. Accumulated batches act as one batch: means are weighted
  /// by their denominators, sums are added, penalties are weighted by samples.
  Sums evaluate_all(bool is_again) {
    const FreshCasts casts;  // else an autocast around the run would keep the casts of the first step's weights
    if (shared_) {
      return evaluate_shards(is_again);
    }
    std::vector<LossCount> counts;
    count_ = 0;
    for (const Batch& batch : shown_) {
      counts.push_back(phase_.loss.count(batch.target, batch.size()));
      count_ = count_ + counts.back();
    }
    Sums sums = evaluate(shown_.front(), counts.front());
    for (std::size_t i = 1; i < shown_.size(); ++i) {
      const Sums more = evaluate(shown_[i], counts[i]);
      sums = {sums.loss + more.loss, sums.objective + more.objective};
    }
    return sums;
  }

  /// Passes of the virtual shards of this process, after which the gradients are those of all processes' shards.
  Sums evaluate_shards(bool is_again) {
    const SharedStep::Counts counts = shared_->counts();
    count_ = counts.all;
    const auto begin = [&](int shard) {
      forget_gradients();
      generators_.seed(phase_.seed, pass_.now.clock.step, Purpose::forward, shard + 1);
    };
    const SharedSums::Totals totals = shared_->evaluate(begin, [&](const Batch& batch, std::size_t i, std::size_t j) {
      const Sums sums = evaluate(batch, counts.own[i][j]);
      if (!is_again) {
        shared_->keep(batch, pass_.output, j);
      }
      return sums;
    });
    // What hooks, optimizers and sources draw is the same on all processes, and so is what they see: not a shard of
    // this one.
    seed_step(pass_.now.clock);
    pass_.batch = {};
    pass_.output = at::Tensor();
    pass_.taps.clear();
    return {totals.loss, totals.objective};
  }

  /// Forward and backward pass of one batch, which has the share `count` of the step's loss.
  Sums evaluate(const Batch& batch, const LossCount& count) {
    if (phase_.regularize.empty()) {
      pass_.batch = batch;
      pass_.output = phase_.execute.forward(model_, batch);
    } else {
      const Taps taps;
      pass_.batch = batch;
      pass_.output = phase_.execute.forward(model_, batch);
      pass_.taps = taps.tensors();
    }
    const at::Tensor whole = phase_.loss(pass_.output, batch.target);
    const at::Tensor loss = phase_.loss.sums() ? whole : share_of(whole, count, count_);
    at::Tensor objective = loss;
    for (const AnyRegularizer& regularizer : phase_.regularize) {
      const at::Tensor penalty = regularizer.penalty(pass_);
      if (penalty.defined()) {
        objective = objective + share_of(penalty, batch.size(), samples_);
      }
    }
    backward(objective);
    return {loss.detach(), objective.detach()};
  }

  void backward(const at::Tensor& objective) const { (scaler_ ? scaler_->scale(objective) : objective).backward(); }

  /// A batch's weighted part of a sum over the step's batches; the whole value if there is only one.
  [[nodiscard]] at::Tensor share_of(const at::Tensor& part, const LossCount& count, const LossCount& all) const {
    return shown_.size() == 1 && !shared_ ? part : count.weigh(part, all);
  }

  const Model& model_;
  const Phase& phase_;
  GeneratorGuard& generators_;
  at::Device device_;
  DistinctTensors cleared_;
  std::vector<Batch> shown_;
  std::optional<SharedStep> shared_;
  std::int64_t samples_ = 0;
  at::Tensor loss_;
  LossCount count_ = 0;
  std::optional<LossScaler> scaler_;
  bool finite_ = true;
  Pass pass_;
};

}  // namespace regimen::inline v0::detail
