#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "regimen/evaluate/evaluation.hpp"
#include "regimen/evaluate/walk.hpp"
#include "regimen/loss/concept.hpp"
#include "regimen/model/model.hpp"
#include "regimen/record/history.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

namespace detail {

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

  /// All sums, [count_of_numbers] double on the device: those of several parts of a source may be added.
  [[nodiscard]] at::Tensor numbers() const {
    const at::Device device = loss_.device();
    return at::stack({loss_, count_.on(device), right_, judged_.on(device), LossCount(samples_).on(device),
                      LossCount(has_accuracy_ ? 0 : 1).on(device)});
  }
  static constexpr std::int64_t count_of_numbers = 6;

  /// The score of sums that `numbers` gave. Waits for the device.
  [[nodiscard]] static Score score_of(const at::Tensor& numbers) {
    const at::Tensor on_host = numbers.cpu();
    const double* sum = on_host.data_ptr<double>();
    Score score{.samples = static_cast<std::int64_t>(sum[4])};
    score.loss = sum[0] / sum[1];
    score.accuracy = sum[5] > 0 ? unknown : sum[2] / sum[3];
    return score;
  }

  [[nodiscard]] Score score() const { return score_of(numbers()); }

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
  const at::NoGradGuard no_grad;
  ScoreSums sums(model.device());
  walk(model, source, how, "evaluate", [&](const Batch& batch) {
    const at::Tensor output = how.execute.forward(model, batch);
    if (look) {
      look(output, batch);
    }
    sums.add(how.loss, output, batch);
  });
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
