#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include "regimen/measure/reference_signals.hpp"

namespace regimen::inline v0 {

/// How far each label is memorized, with the uncertainty that comes from the number of networks.
struct LabelMemorization {
  at::Tensor value;           ///< [n] double, in [-1, 1] for correctness; NaN where a sample is never in or never out
  at::Tensor standard_error;  ///< [n] double; NaN where fewer than two networks have or have not the sample
  at::Tensor trained;         ///< [n] int64: number of networks trained on the sample
  at::Tensor untrained;       ///< [n] int64: number of the others
};

/// The label memorization of Feldman (2020) as Feldman and Zhang (2020, section 2) estimate it: for each sample, the
/// mean correctness of the networks that were trained on it minus that of the networks that were not. references.signal
/// [R, n] is `MembershipSignal::correctness`, or another signal for its mean difference; references.member [R, n], of
/// any balance.
///
/// The standard error is that of a difference of two means, from unbiased variances; where all networks of each kind
/// agree it is 0, which says little for few networks. Throws Error for other shapes and for signals that are not
/// finite.
///     const auto memorized = regimen::label_memorization({.signal = at::stack(correct), .member = at::stack(masks)});
[[nodiscard]] inline LabelMemorization label_memorization(const ReferenceSignals& references) {
  references.check("label_memorization");
  const at::Tensor member = references.member.to(references.signal.device());
  const detail::MaskedMoments in(references.signal, member);
  const detail::MaskedMoments out(references.signal, member.logical_not());
  return {.value = in.mean - out.mean,
          .standard_error = (in.variance() / in.count + out.variance() / out.count).sqrt(),
          .trained = in.count.to(at::kLong),
          .untrained = out.count.to(at::kLong)};
}

}  // namespace regimen::inline v0
