#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/where.h>

#include <cmath>
#include <string>

#include "regimen/measure/reference_signals.hpp"

namespace regimen::inline v0 {

/// How the variance of a signal over reference networks is estimated.
enum class SignalVariance {
  pooled,       ///< one for all samples, from distances to each sample's own mean: for few reference networks
  each_sample,  ///< one for each sample: for 64 and more reference networks (Carlini et al. 2022); the pooled one for
                ///< a sample whose references are all equal
};

[[nodiscard]] inline std::string name_of(SignalVariance variance) {
  return variance == SignalVariance::pooled ? "pooled" : "each_sample";
}

/// Normal distributions of a signal, one a sample.
struct SignalNormals {
  at::Tensor mean;       ///< [n] double
  at::Tensor deviation;  ///< [n] or 0-d double: standard deviation
};

/// The normal distributions that are fitted to the signals [R, n] that a mask [R, n] bool picks: means, and standard
/// deviations from unbiased variances. NaN for samples with too few signals: none for the mean, fewer than two for a
/// variance of `each_sample`. A deviation is never 0, which would make every signal infinitely unlikely: it is NaN
/// where the pooled variance is 0, as all references of each sample are equal.
[[nodiscard]] inline SignalNormals signal_normals(const at::Tensor& signal, const at::Tensor& mask,
                                                  SignalVariance variance = SignalVariance::pooled) {
  ReferenceSignals{signal, mask}.check("signal_normals");
  const detail::MaskedMoments moments(signal, mask);
  const at::Tensor all = moments.pooled_variance();
  const at::Tensor pooled = all.masked_fill(all == 0, std::nan(""));
  const at::Tensor own = moments.variance();
  return {.mean = moments.mean,
          .deviation = (variance == SignalVariance::pooled ? pooled : at::where(own == 0, pooled, own)).sqrt()};
}

/// The logarithm of the likelihood ratio of two normal distributions, log N(signal; in) - log N(signal; out). signal
/// [n] floating -> [n] double.
[[nodiscard]] inline at::Tensor log_likelihood_ratio(const at::Tensor& signal, const SignalNormals& in,
                                                     const SignalNormals& out) {
  const at::Tensor x = signal.detach().to(at::kDouble);
  const auto log_density = [&](const SignalNormals& normal) {
    return ((x - normal.mean) / normal.deviation).square().div(-2) - normal.deviation.log();
  };
  return log_density(in) - log_density(out);
}

/// The likelihood ratio attack, LiRA (Carlini et al. 2022): compares a sample's signal with those of reference networks
/// that were trained on the sample and that were not. The result is a score of each sample, [n] double, larger for
/// members: `membership_roc` judges it.
///
/// Online it is the logarithm of the likelihood ratio (the paper's algorithm 1). Offline it takes only references that
/// were not trained on the sample, and is one-sided: the number of standard deviations that the signal lies above their
/// mean. The paper writes that as a probability, Phi of it, which orders all samples alike but is 1 for all above 8.3,
/// where the most vulnerable samples are.
///
/// The signal is to be `MembershipSignal::margin`, which is about normal. Masks may be of any balance. NaN for samples
/// that no reference network of a kind judges, and if the references of every sample are equal. Costs one forward pass
/// for each reference network, made before; no randomness here. Throws Error for other shapes and for reference signals
/// that are not finite.
///     const at::Tensor score = regimen::LikelihoodRatioAttack{}(margins, {.signal = of_references, .member = masks});
struct LikelihoodRatioAttack {
  bool online = true;
  SignalVariance variance = SignalVariance::pooled;

  [[nodiscard]] at::Tensor operator()(const at::Tensor& signal, const ReferenceSignals& references) const {
    references.check("LikelihoodRatioAttack");
    detail::require_signals(signal, references.signal, "LikelihoodRatioAttack");
    const at::Tensor known = references.signal.to(signal.device());
    const at::Tensor member = references.member.to(signal.device());
    const SignalNormals out = signal_normals(known, member.logical_not(), variance);
    if (!online) {
      return (signal.detach().to(at::kDouble) - out.mean) / out.deviation;
    }
    return log_likelihood_ratio(signal, signal_normals(known, member, variance), out);
  }
};

}  // namespace regimen::inline v0
