#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "regimen/base/integer.hpp"
#include "regimen/execute/execution.hpp"
#include "regimen/loss/concept.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/model/model.hpp"
#include "regimen/model/torch_errors.hpp"
#include "regimen/record/history.hpp"
#include "regimen/source/source.hpp"
#include "regimen/tensor/autocast.hpp"
#include "regimen/transform/concept.hpp"
#include "regimen/transform/in_turn.hpp"

namespace regimen::inline v0 {

/// Settings of `evaluate`, all optional.
struct Evaluation {
  AnyLoss loss{};                          ///< CrossEntropy by default
  std::vector<AnyTransform> preprocess{};  ///< applied to every batch, in order: normalization
  Execution execute{};
  Integer batch = 128;  ///< samples per batch, at least 1; changes only speed and memory, unless the network mixes
                        ///< samples in eval mode too, as BatchNorm without running statistics does
  Moment now{};         ///< the moment for sources whose damage follows a schedule
};

namespace detail {

/// The settings with defaults replaced by those of `other`. (To have no preprocessing although `other` has some, use
/// `chain()`.)
inline Evaluation filled_in(Evaluation own, const Evaluation& other) {
  const Evaluation defaults;
  own.loss = own.loss.is_given() ? own.loss : other.loss;
  own.preprocess = own.preprocess.empty() ? other.preprocess : own.preprocess;
  own.execute = own.execute == defaults.execute ? other.execute : own.execute;
  own.batch = own.batch == defaults.batch ? other.batch : own.batch;
  own.now = own.now.history == nullptr && own.now.clock == Clock{} ? other.now : own.now;
  return own;
}

/// The input of the network: the batch on the model's device, preprocessed.
inline Batch prepared(const Batch& batch, const std::vector<AnyTransform>& preprocess, const at::Device& device,
                      const Moment& now) {
  const bool here = batch.data.device() == device && (!batch.target.defined() || batch.target.device() == device);
  const Batch moved = here ? batch : to(batch, device);
  return preprocess.empty() ? moved : in_turn(preprocess, preprocess.size(), moved, Key(0, moved.id, now));
}

/// A function that is called with the output for each batch.
using LookAtOutput = std::function<void(const at::Tensor& output, const Batch& batch)>;

/// Sums of a score over a source's batches. They stay on the device and are read once.
class ScoreSums {
 public:
  explicit ScoreSums(const at::Device& device)
      : loss_(at::zeros({}, at::TensorOptions().device(device).dtype(at::kDouble))), right_(loss_.clone()) {}

  void add(const AnyLoss& loss, const at::Tensor& output, const Batch& batch) {
    samples_ += batch.size();
    const LossCount count = loss.count(batch.target, batch.size());
    (loss.sums() ? LossCount(1) : count).add_times(loss_, loss(output, batch.target));
    count_ = count_ + (loss.sums() ? LossCount(batch.size()) : count);
    const at::Tensor correct = loss.correct(output, batch.target);
    if (!correct.defined()) {
      has_accuracy_ = false;
    } else if (correct.is_floating_point()) {  // NaN for entries that are not judged
      right_.add_(correct.nansum());
      judged_ = judged_ + LossCount(correct.isnan().logical_not().sum().to(at::kDouble));
    } else {
      right_.add_(correct.sum());
      judged_ = judged_ + LossCount(correct.numel());
    }
  }

  [[nodiscard]] Score score() const {
    Score score{.samples = samples_};
    score.loss = loss_.item<double>() / count_.number();
    score.accuracy = has_accuracy_ ? right_.item<double>() / judged_.number() : unknown;
    return score;
  }

 private:
  at::Tensor loss_;
  at::Tensor right_;
  LossCount judged_ = 0;
  LossCount count_ = 0;
  std::int64_t samples_ = 0;
  bool has_accuracy_ = true;
};

/// Evaluates the model, and calls look(output, batch) for each batch.
inline Score score_source(const Model& model, const Source& source, const Evaluation& how, const LookAtOutput& look) {
  if (!source.defined() || !source.size()) {
    throw Error("evaluate takes a source that ends: limit(stream, samples) makes one");
  }
  require(how.batch >= 1, "Evaluation.batch", "at least 1", how.batch);
  const ModeGuard modes(model);
  const at::NoGradGuard no_grad;
  const at::Device device = model.device();
  model.train(false);
  ScoreSums sums(device);
  const Cursor next = source.read({.batch = how.batch, .now = how.now});
  bool any = false;
  for (Batch batch = next(); batch.size() > 0; batch = next()) {
    batch = prepared(batch, how.preprocess, device, how.now.on(source));
    with_circumstances(
        "evaluate",
        [&] {
          const at::Tensor output = how.execute.forward(model, batch);
          if (look) {
            look(output, batch);
          }
          sums.add(how.loss, output, batch);
        },
        [&](const std::string& said) { return described_forward(batch, model, said); });
    any = true;
  }
  if (!any) {
    throw Error("evaluate takes a source with at least one sample");
  }
  return sums.score();
}

}  // namespace detail

/// Accuracy and mean loss of the model on all samples of a source, in eval mode and without gradients; the modes of the
/// model are restored. Accuracy is the share of judged entries (samples, pixels or words) that are correct; NaN if the
/// loss has no accuracy (see `Loss`). `evaluation_of(phase)` gives the settings of a phase, its preprocessing above
/// all. Throws Error for an empty or endless source, and, with the types and shapes of the batch, if LibTorch throws.
///     const regimen::Score test = regimen::evaluate(net, test_set, {.preprocess = {normalize}});
[[nodiscard]] inline Score evaluate(const Model& model, const Source& source, const Evaluation& how = {}) {
  return detail::score_source(model, source, how, {});
}

}  // namespace regimen::inline v0
