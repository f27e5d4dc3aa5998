#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include <cstddef>
#include <functional>
#include <vector>

#include "regimen/execute.hpp"
#include "regimen/loss.hpp"
#include "regimen/model.hpp"
#include "regimen/record.hpp"
#include "regimen/source.hpp"
#include "regimen/transform.hpp"

namespace regimen::inline v0 {

/// How `evaluate` reads and computes. Every field may be left out.
struct Evaluation {
  AnyLoss loss = CrossEntropy{};
  std::vector<AnyTransform> preprocess{};  ///< applied to every batch, in order: normalization
  Execution execute{};
  std::int64_t batch = 128;  ///< samples at a time; changes nothing but speed and memory
  Now now{};                 ///< for sources whose damage follows a schedule
};

namespace detail {

/// Puts the modes of a model's parts back when it goes, also when an exception takes it.
class ModeGuard {
 public:
  explicit ModeGuard(const Model& model) : restore_(model.keep_modes()) {}
  ~ModeGuard() { restore_(); }
  ModeGuard(const ModeGuard&) = delete;
  ModeGuard& operator=(const ModeGuard&) = delete;

 private:
  std::function<void()> restore_;
};

/// What the network is shown in the end: the batch on its device, preprocessed.
inline Batch prepared(const Batch& batch, const std::vector<AnyTransform>& preprocess, const at::Device& device,
                      const Now& now) {
  const bool here = batch.data.device() == device && (!batch.target.defined() || batch.target.device() == device);
  Batch result = here ? batch : to(batch, device);
  for (std::size_t i = 0; i < preprocess.size(); ++i) {
    result = preprocess[i](result, Key(0, result.id, now).fold(i));
  }
  return result;
}

}  // namespace detail

/// Accuracy and mean loss of the model on all samples of a source, in eval mode and without gradients; the model is
/// left in the modes that it was in. Accuracy is NaN where the loss has no notion of right (see `Loss`).
/// Throws Error for an empty or endless source.
///     const regimen::Score test = regimen::evaluate(net, test_set, {.preprocess = {normalize}});
[[nodiscard]] inline Score evaluate(const Model& model, const Source& source, const Evaluation& how = {}) {
  if (!source.defined() || !source.size()) {
    throw Error("evaluate takes a source that ends: limit(stream, samples) makes one");
  }
  const detail::ModeGuard modes(model);
  const at::NoGradGuard no_grad;
  const at::Device device = model.device();
  model.train(false);

  // Sums stay on the device and are read once.
  const auto sums = at::TensorOptions().device(device).dtype(at::kDouble);
  at::Tensor loss_sum = at::zeros({}, sums);
  at::Tensor right = at::zeros({}, sums);
  bool counted = true;
  Score score;
  const Cursor next = source.read({.batch = how.batch, .now = how.now});
  for (Batch batch = next(); batch.size() > 0; batch = next()) {
    batch = detail::prepared(batch, how.preprocess, device, how.now.on(source));
    const at::Tensor output = how.execute.forward(model, batch);
    loss_sum.add_(how.loss(output, batch.target), batch.size());
    const at::Tensor correct = how.loss.correct(output, batch.target);
    if (correct.defined()) {
      right.add_(correct.sum());
    } else {
      counted = false;
    }
    score.samples += batch.size();
  }
  if (score.samples == 0) {
    throw Error("evaluate takes a source with at least one sample");
  }
  const auto n = static_cast<double>(score.samples);
  score.loss = loss_sum.item<double>() / n;
  score.accuracy = counted ? right.item<double>() / n : unknown;
  return score;
}

}  // namespace regimen::inline v0
