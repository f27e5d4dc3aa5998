#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <limits>
#include <string>

#include "regimen/loss/predicted.hpp"
#include "regimen/measure/detail/class_outputs.hpp"

namespace regimen::inline v0 {

/// A number of each sample by which members of the training data may be told: larger for members, every one of them.
enum class MembershipSignal {
  loss,              ///< log p_y, the negative cross-entropy (Yeom et al. 2018), in (-inf, 0]
  margin,            ///< log(p_y / (1 - p_y)) = z_y - log sum over c != y of exp(z_c) (Carlini et al. 2022)
  confidence,        ///< the largest p_c, in [1 / C, 1], whatever the label (Salem et al. 2019)
  entropy,           ///< sum p_c log p_c, in [-log C, 0], whatever the label (Salem et al. 2019)
  modified_entropy,  ///< (1 - p_y) log p_y + sum over c != y of p_c log(1 - p_c), at most 0 (Song and Mittal 2021)
  correctness,       ///< 1 if y is predicted, else 0 (Yeom et al. 2018)
};

[[nodiscard]] inline std::string name_of(MembershipSignal signal) {
  switch (signal) {
    case MembershipSignal::loss:
      return "loss";
    case MembershipSignal::confidence:
      return "confidence";
    case MembershipSignal::entropy:
      return "entropy";
    case MembershipSignal::modified_entropy:
      return "modified_entropy";
    case MembershipSignal::correctness:
      return "correctness";
    default:
      return "margin";
  }
}

namespace detail {

/// The logarithm of the sum of exp over all entries of a row but one. z [n, C], index [n, 1] -> [n, 1].
inline at::Tensor log_sum_of_others(const at::Tensor& z, const at::Tensor& index) {
  return z.scatter(1, index, -std::numeric_limits<double>::infinity()).logsumexp(1, /*keepdim=*/true);
}

/// log(1 - p) for the distributions softmax(z), [n, C]. Only the largest p can be near 1, where the plain formula would
/// lose all digits.
inline at::Tensor log_of_rest(const at::Tensor& z, const at::Tensor& log_p) {
  const at::Tensor top = z.argmax(1, /*keepdim=*/true);
  const at::Tensor exact = log_sum_of_others(z, top) - z.logsumexp(1, /*keepdim=*/true);
  return log_p.exp().neg().log1p().scatter(1, top, exact);
}

}  // namespace detail

/// The signal of each sample, [n] double on the outputs' device. outputs [n, C]: logits z, with p = softmax(z); labels
/// [n] of an integer type in [0, C). Computed in double from logarithms: samples of p_y = 1 - 1e-30 keep their order in
/// all but confidence. NaN for outputs of NaN, whose correctness is 0. No signal changes when ReLU units are rescaled.
/// When the logits are scaled, all but correctness change, and with more than two classes so may the order of samples.
/// Throws Error for other shapes and for labels out of range.
///     regimen::membership_signal(regimen::MembershipSignal::margin, logits, labels);
[[nodiscard]] inline at::Tensor membership_signal(MembershipSignal signal, const at::Tensor& outputs,
                                                  const at::Tensor& labels) {
  detail::require_outputs(outputs, "membership_signal");
  detail::require_labels(labels, outputs, "membership_signal");
  const at::Tensor label = labels.to(outputs.device(), at::kLong);
  detail::require_classes(label, outputs.size(1), "membership_signal");
  const at::Tensor z = outputs.detach().to(at::kDouble);
  const at::Tensor own = label.unsqueeze(1);
  const at::Tensor margin = (z.gather(1, own) - detail::log_sum_of_others(z, own)).squeeze(1);
  const at::Tensor log_p = z.log_softmax(1);
  const at::Tensor p = log_p.exp();
  switch (signal) {
    case MembershipSignal::loss:  // not log_p, which is 0 for p_y within rounding of 1
      return margin.clamp_max(0) - margin.abs().neg().exp().log1p();  // -log(1 + exp(-margin)); logaddexp rounds
    case MembershipSignal::confidence:
      return p.amax(1);
    case MembershipSignal::entropy:
      return (p * log_p).masked_fill(p == 0, 0).sum(1);
    case MembershipSignal::modified_entropy: {
      const at::Tensor log_rest = detail::log_of_rest(z, log_p);
      const at::Tensor others = (p * log_rest).scatter(1, own, 0).sum(1);
      const at::Tensor rest = log_rest.gather(1, own).exp();
      return others + (rest * log_p.gather(1, own)).squeeze(1);
    }
    case MembershipSignal::correctness:
      return (predicted_classes(outputs) == label).to(at::kDouble);
    default:
      return margin;
  }
}

}  // namespace regimen::inline v0
