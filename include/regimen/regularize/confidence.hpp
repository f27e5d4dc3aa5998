#pragma once

#include <ATen/TensorOperators.h>

#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/pass.hpp"
#include "regimen/schedule/bounds.hpp"

namespace regimen::inline v0 {

/// Minus strength * the entropy of softmax(output), in nats, mean over the samples (Pereyra et al. 2017): keeps the
/// network from putting all probability on one class. In [-strength * log(C), 0]. It is label smoothing with the
/// Kullback-Leibler divergence reversed.
/// output [N, C, ...], logits as for `CrossEntropy`. A class that is masked by a logit of -inf has probability 0, adds
/// nothing and gets no gradient; every sample needs an unmasked class. Throws Error unless strength >= 0, and for other
/// outputs.
struct ConfidencePenalty {
  NotNegative<"ConfidencePenalty.strength"> strength = 0.1;

  [[nodiscard]] at::Tensor penalty(const Pass& pass) const {
    if (!pass.output.defined() || pass.output.dim() < 2) {
      throw Error("ConfidencePenalty takes an output of [N, C, ...]: set Pass.output to the logits");
    }
    const at::Tensor log_share = pass.output.log_softmax(1);
    // p log p is 0 for p = 0; computed as 0 * -inf it and its gradient would be NaN.
    const at::Tensor of_possible = log_share.masked_fill(log_share.isneginf(), 0);
    return (log_share.exp() * of_possible).sum(1).mean() * pass.now.tensor(strength);
  }
};

}  // namespace regimen::inline v0
