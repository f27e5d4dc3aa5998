#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_unique.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>

#include <cstdint>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/evaluate/outputs.hpp"
#include "regimen/key/key.hpp"
#include "regimen/key/order.hpp"
#include "regimen/key/salts.hpp"
#include "regimen/loss/predicted.hpp"
#include "regimen/model/model.hpp"
#include "regimen/source/source.hpp"
#include "regimen/source/views.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/tensor/npy.hpp"

namespace regimen::inline v0 {

/// What a network says of each sample of a source, in the source's order, on the CPU.
struct SamplePredictions {
  at::Tensor id;           ///< [n] int64
  at::Tensor label;        ///< [n] int64 in [0, C): as given
  at::Tensor probability;  ///< [n, C] double, each row sums to 1: the softmax of the outputs
  at::Tensor loss;         ///< [n] double: -log of the given label's probability
};

/// How `held_out_predictions` deals the samples.
struct Folds {
  std::int64_t folds = 5;  ///< parts that are held out in turn, in [2, number of groups]
  std::uint64_t seed = 0;  ///< the parts are a function of it
  at::Tensor group{};      ///< [n] int64: samples of one number are held out together; undefined: each by itself
};

/// The predictions of a network for all samples of a source, in eval mode. Those for samples that it was trained on are
/// too sure to find wrong labels by; see `held_out_predictions`. Costs one forward pass. Targets are labels, or
/// distributions, whose largest entry is the label. Throws Error for outputs that are not [N, C] with C >= 2, a label
/// out of [0, C), and as `outputs` does.
///     const auto said = regimen::sample_predictions(net, noisy, regimen::evaluation_of(phase));
[[nodiscard]] inline SamplePredictions sample_predictions(const Model& model, const Source& source,
                                                          const Evaluation& how = {}) {
  const at::NoGradGuard no_grad;
  const Outputs all = outputs(model, source, how);
  const at::Tensor label = detail::labels_for(all.output, all.target, "sample_predictions");
  detail::require_classes(label, all.output.size(1), "sample_predictions");
  const at::Tensor logs = all.output.to(at::kDouble).log_softmax(1);
  return {.id = all.id.cpu(),
          .label = label.to(at::kCPU, at::kLong),
          .probability = logs.exp().cpu(),
          .loss = -logs.gather(1, label.to(at::kLong).unsqueeze(1)).squeeze(1).cpu()};
}

namespace detail {

/// The part in which each of n samples is held out, [n] int64 in [0, folds).
inline at::Tensor fold_of(const Folds& how, std::int64_t n) {
  const at::Tensor group = how.group.defined() ? how.group.cpu() : at::arange(n, at::kLong);
  require(group.dim() == 1 && group.size(0) == n && group.scalar_type() == at::kLong, "Folds.group",
          "[" + text(n) + "] Long, a number for each sample of the source", described(group));
  const auto [numbers, index] = at::_unique(group, /*sorted=*/true, /*return_inverse=*/true);
  const std::int64_t groups = numbers.numel();
  require(how.folds >= 2 && how.folds <= groups, "Folds.folds",
          "in [2, " + text(groups) + "], the number of " + (how.group.defined() ? "groups" : "samples"), how.folds);
  const Key key = Key(how.seed, at::arange(groups, at::kLong)).fold(salt::folds);
  return ranked(key).argsort().remainder(how.folds).index_select(0, index);
}

}  // namespace detail

/// The predictions for each sample of a network that was not trained on it ("out-of-sample"): the samples are dealt
/// into `folds` parts of nearly equal size, and train(rest) is called once for each part, with the other parts as a
/// source. It returns a network of its own, of any kind that `Model` takes.
///
/// Copies of one sample, as `repeat` makes them, are different samples: unless `group` holds them out together, each
/// network was trained on copies of what it is asked about. The same holds for images of one person and frames of one
/// film. Throws Error unless the source is indexed and folds is in [2, groups], and as `sample_predictions` does.
///     const auto said = regimen::held_out_predictions(noisy, {.folds = 5, .seed = 1}, [&](const regimen::Source& rest)
///     {
///       Net net; ... regimen::run(net, {{.data = rest, ...}}, {}); return net;
///     });
template <class Train>
[[nodiscard]] SamplePredictions held_out_predictions(const Source& source, const Folds& how, const Train& train,
                                                     const Evaluation& evaluation = {}) {
  detail::require_indexed(source, "held_out_predictions");
  const std::int64_t n = *source.size();
  const at::Tensor fold = detail::fold_of(how, n);
  std::vector<at::Tensor> index, id, label, probability, loss;
  for (std::int64_t k = 0; k < how.folds; ++k) {
    auto network = train(subset(source, fold.ne(k).nonzero().squeeze(1)));
    index.push_back(fold.eq(k).nonzero().squeeze(1));
    const SamplePredictions part = sample_predictions(network, subset(source, index.back()), evaluation);
    id.push_back(part.id);
    label.push_back(part.label);
    probability.push_back(part.probability);
    loss.push_back(part.loss);
  }
  const at::Tensor back = at::cat(index).argsort();
  const auto joined = [&](const std::vector<at::Tensor>& parts) { return at::cat(parts).index_select(0, back); };
  return {.id = joined(id), .label = joined(label), .probability = joined(probability), .loss = joined(loss)};
}

/// Writes ids.npy, labels.npy, pred_probs.npy and losses.npy into a folder, which is made if there is none. cleanlab
/// takes them as they are: find_label_issues(numpy.load("labels.npy"), numpy.load("pred_probs.npy")). Throws Error if
/// they cannot be written.
///     regimen::write_predictions("results/suspects", said);
inline void write_predictions(const std::string& folder, const SamplePredictions& predictions) {
  write_npy(folder + "/ids.npy", predictions.id);
  write_npy(folder + "/labels.npy", predictions.label);
  write_npy(folder + "/pred_probs.npy", predictions.probability);
  write_npy(folder + "/losses.npy", predictions.loss);
}

}  // namespace regimen::inline v0
