#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/logaddexp.h>

#include <concepts>
#include <cstddef>
#include <numbers>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/json.hpp"
#include "regimen/base/manifest.hpp"
#include "regimen/evaluate/outputs.hpp"
#include "regimen/loss/predicted.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/data_for.hpp"
#include "regimen/measure/detail/class_outputs.hpp"
#include "regimen/source/source.hpp"
#include "regimen/statistics/pairs.hpp"
#include "regimen/tensor/checksum.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

namespace detail {

/// Throws Error, in the name of `who`, unless both are outputs for classes, of one shape.
inline void require_two_outputs(const at::Tensor& a, const at::Tensor& b, const std::string& who) {
  require_outputs(a, who);
  require_outputs(b, who);
  if (a.sizes() != b.sizes()) {
    throw Error(who + " takes outputs of two networks for the same samples and classes, not " + described(a) + " and " +
                described(b));
  }
}

}  // namespace detail

/// The disagreement of two networks: the share of the samples for which they predict different classes, in [0, 1]
/// (Nakkiran and Bansal 2020; Jiang et al. 2022, where it estimates the test error without labels). a, b: their outputs
/// [n, C] for the same samples, logits or anything with the same largest entry; the scale does not matter. An output
/// with a NaN predicts no class, which differs from every class. Throws Error for other shapes.
///     regimen::disagreement(regimen::outputs(one, test).output, regimen::outputs(another, test).output);
[[nodiscard]] inline double disagreement(const at::Tensor& a, const at::Tensor& b) {
  detail::require_two_outputs(a, b, "disagreement");
  const at::Tensor of_a = predicted_classes(a);
  const at::Tensor of_b = predicted_classes(b.to(a.device()));
  return of_a.ne(of_b).logical_or(of_a < 0).to(at::kDouble).mean().item<double>();
}

/// The mean Jensen-Shannon divergence of two networks' predicted distributions p = softmax(a) and q = softmax(b), in
/// nats, in [0, ln 2]: (KL(p || m) + KL(q || m)) / 2 with m = (p + q) / 2 (Lin 1991). a, b: logits [n, C] for the same
/// samples; an entry may be -infinity. It grows with the logits' scale. Computed in double, from logarithms, to 1e-16
/// in absolute terms. NaN if an output is. Throws Error for other shapes.
[[nodiscard]] inline double js_divergence(const at::Tensor& a, const at::Tensor& b) {
  detail::require_two_outputs(a, b, "js_divergence");
  const at::Tensor log_p = a.to(at::kDouble).log_softmax(1);
  const at::Tensor log_q = b.to(a.device(), at::kDouble).log_softmax(1);
  const at::Tensor log_m = at::logaddexp(log_p, log_q) - std::numbers::ln2;
  const auto divergence = [&](const at::Tensor& log_of) {
    const at::Tensor share = log_of.exp();
    return (share * (log_of - log_m)).masked_fill(share == 0, 0).sum(1);
  };
  return (divergence(log_p) + divergence(log_q)).div(2).clamp_min(0).mean().item<double>();
}

/// The agreement of two networks on errors: among the samples that both get wrong, the share on which they predict the
/// same class, in [0, 1]; NaN if there are none. Independent errors, equally likely among the C - 1 wrong classes, give
/// 1 / (C - 1). a, b: outputs [n, C] for the same samples; the scale does not matter; labels [n] of an integer type,
/// those out of [0, C) not counted. An output with a NaN is wrong and agrees with none. Throws Error for other shapes.
[[nodiscard]] inline double error_agreement(const at::Tensor& a, const at::Tensor& b, const at::Tensor& labels) {
  detail::require_two_outputs(a, b, "error_agreement");
  detail::require_labels(labels, a, "error_agreement");
  const at::Tensor label = labels.to(a.device());
  const at::Tensor of_a = predicted_classes(a);
  const at::Tensor of_b = predicted_classes(b.to(a.device()));
  const at::Tensor judged = (label >= 0).logical_and(label < a.size(1));
  const at::Tensor wrong = judged.logical_and(of_a != label).logical_and(of_b != label);
  const at::Tensor same = wrong.logical_and(of_a == of_b).logical_and(of_a >= 0);
  return same.sum().item<double>() / wrong.sum().item<double>();
}

/// A measure of how far a network predicts otherwise than a fixed one, such as the arm that began from random weights
/// or the network of an earlier phase: `disagreement`, `js_divergence` and `error_agreement` from one forward pass over
/// the data, as "share", "divergence" and "error_agreement"; the last is NaN for data without labels.
///
/// The other network is held by its outputs, which are computed once and stay what they are when it is trained on.
/// Neither of the numbers changes when ReLU units are rescaled; the divergence changes with the scale of the logits.
/// Deterministic. Throws Error for data of another size than the outputs.
///     const at::Tensor earlier = regimen::outputs(net, test).output;
///     scoring.measures["since"] = regimen::Disagreement{.other = earlier, .data = test};
struct Disagreement {
  at::Tensor other{};            ///< outputs [n, C] of the other network for these data, in their order
  std::optional<Source> data{};  ///< the phase's by default
  Evaluation how{};              ///< settings left at their defaults are the phase's; the loss is not used

  void check() const { detail::require_outputs(other, "Disagreement.other"); }

  [[nodiscard]] std::vector<std::string> names() const { return {"share", "divergence", "error_agreement"}; }

  Numbers operator()(const Probe& probe) const {
    check();
    const Source source = detail::data_for(data, probe, "Disagreement");
    const Outputs own = outputs(probe.model, source, detail::filled_in(how, probe.how));
    if (own.output.sizes() != other.sizes()) {
      throw Error("Disagreement.other must be the outputs for the same data, " + detail::described(own.output) +
                  ", but is " + detail::described(other));
    }
    const bool labelled = detail::are_labels_for(own.output, own.target);
    return {{"share", disagreement(own.output, other)},
            {"divergence", js_divergence(own.output, other)},
            {"error_agreement", labelled ? error_agreement(own.output, other, own.target) : unknown}};
  }

  [[nodiscard]] std::string manifest() const {
    return detail::json::Object()
        .add("type", "\"Disagreement\"")
        .add("other", detail::manifest_of_tensor(other))
        .add("data", regimen::manifest(data))
        .add("how", regimen::manifest(how))
        .text();
  }
};

/// A number of two tensors, for each pair of k tensors: [k, k] row by row, for `mean_over_pairs`; the diagonal is 0.
/// The number must be symmetric; it is computed once a pair.
///     const std::vector<double> far = regimen::over_pairs(logits_of_minima, regimen::js_divergence);
template <class OfPair>
  requires std::convertible_to<std::invoke_result_t<OfPair&, const at::Tensor&, const at::Tensor&>, double>
[[nodiscard]] std::vector<double> over_pairs(const std::vector<at::Tensor>& outputs, OfPair&& of_pair) {
  const std::size_t k = outputs.size();
  std::vector<double> result(k * k, 0.0);
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      result[i * k + j] = result[j * k + i] = of_pair(outputs[i], outputs[j]);
    }
  }
  return result;
}

/// The mean `disagreement` over all pairs of k networks, with a confidence interval over networks and the range over
/// pairs: see `mean_over_pairs`. outputs: those of each network for the same samples, [n, C] each. The mean and the
/// interval are NaN for fewer than two and three networks. Throws Error for other shapes.
///     const auto among_seeds = regimen::mean_disagreement({logits_0, logits_1, logits_2});
[[nodiscard]] inline PairsMean mean_disagreement(const std::vector<at::Tensor>& outputs, double level = 0.95) {
  return mean_over_pairs(over_pairs(outputs, disagreement), outputs.size(), level);
}

}  // namespace regimen::inline v0
