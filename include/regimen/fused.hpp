#pragma once

#include <ATen/core/grad_mode.h>

#include <type_traits>

#include "regimen/detail/sgd.hpp"

namespace torch::optim {
class SGD;
struct SGDOptions;
struct SGDParamState;
}  // namespace torch::optim

namespace regimen::inline v0 {

/// The optimizers that `fused_step` knows. A class derived from one may step in a way of its own, so it is none of
/// them.
template <class O>
concept Fusible = std::is_same_v<O, torch::optim::SGD>;

/// What `optimizer.step()` does, in one pass over the parameters' numbers on a CPU and in a few kernels on a GPU,
/// instead of two to four operations a parameter. The optimizer's own options and state are used and kept, so either
/// step may follow the other, and a checkpoint knows no difference. The same up to rounding.
///     loss.backward();
///     regimen::fused_step(sgd);
template <Fusible O, class Options = torch::optim::SGDOptions, class ParamState = torch::optim::SGDParamState>
void fused_step(O& optimizer) {
  const at::NoGradGuard no_grad;
  for (auto& group : optimizer.param_groups()) {
    const auto& options = static_cast<const Options&>(group.options());
    const detail::SgdRule rule{options.lr(), options.momentum(), options.dampening(), options.weight_decay(),
                               options.nesterov()};
    detail::sgd_step<ParamState>(group.params(), optimizer.state(), rule);
  }
}

}  // namespace regimen::inline v0
