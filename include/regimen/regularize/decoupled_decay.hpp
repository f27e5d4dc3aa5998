#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/pass.hpp"
#include "regimen/schedule/bounds.hpp"

namespace regimen::inline v0 {

/// Decoupled weight decay: w = (1 - decay) w right before the optimizer's step, whose gradient was computed before
/// (Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2, line 12). Unlike with L2 or an
/// optimizer's own weight decay, the optimizer's momentum and second moments do not include it.
///
/// `decay` is the share that a weight loses per step, not multiplied by a learning rate: its schedule is its own. Adam
/// with this acts like torch::optim::AdamW with a learning rate and a weight decay:
///     regimen::DecoupledDecay{.decay = lr_scale * (rate * weight_decay)}
///
/// Acts on the parameters that have a gradient, as a gradient hook, since the step must begin with the smaller weights.
/// Put it behind hooks that look at weights, and behind Sam, after which a step may still be skipped in fp16. With an
/// optimizer that calls its closure several times (LBFGS) it acts at the first call of a step only. Throws Error unless
/// decay is in [0, 1].
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
