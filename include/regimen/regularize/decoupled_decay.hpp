#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/pass.hpp"
#include "regimen/schedule/bounds.hpp"

namespace regimen::inline v0 {

/// Decoupled weight decay: w = (1 - decay) w right before the optimizer's step, whose gradient was taken before it
/// (Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2, line 12). The optimizer's
/// momentum and second moments know nothing of it, as they do of L2 and of an optimizer's own weight decay.
///
/// `decay` is the share that a weight loses in one step, not multiplied by any learning rate: its schedule is its own.
/// What torch::optim::AdamW does with a rate and a weight decay, and Adam does with this:
///     regimen::DecoupledDecay{.decay = lr_scale * (rate * weight_decay)}
///
/// It acts on the parameters that have a gradient, in the place of a gradient hook, for the step has to begin with the
/// smaller weights; name it behind those hooks that look at weights, and behind Sam, after which a step may still be
/// left out in fp16. With an optimizer that evaluates its closure more than once (LBFGS) it acts at a step's first
/// evaluation only.
/// Throws Error unless decay is in [0, 1].
struct DecoupledDecay {
  Share<"DecoupledDecay.decay"> decay = 5e-5;

  void gradient(const Pass& pass) const {
    if (pass.evaluation > 0) {
      return;
    }
    const at::NoGradGuard no_grad;
    const at::Tensor kept = 1 - pass.now.tensor(decay);
    for (at::Tensor parameter : pass.parameters) {
      if (parameter.grad().defined()) {
        parameter.mul_(kept);
      }
    }
  }
};

}  // namespace regimen::inline v0
