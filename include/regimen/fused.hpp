#pragma once

#include <ATen/core/grad_mode.h>

#include <type_traits>
#include <vector>

#include "regimen/detail/sgd.hpp"
#include "regimen/now.hpp"

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

/// What `optimizer.step()` does, with all learning rates times `lr_scale` at this moment, in one pass over the
/// parameters' numbers on a CPU and in a few kernels on a GPU, instead of two to four operations a parameter. The
/// optimizer's own options and state are used and kept, so either step may follow the other, and a checkpoint knows no
/// difference. The same up to rounding.
///
/// In a step that is recorded (capture.hpp) the rates are read from the device, and follow schedule and options at
/// every replay; momentum, dampening and weight decay are frozen.
///     regimen::fused_step(sgd, now, regimen::Cosine{.epochs = 90});
template <Fusible O, class Options = torch::optim::SGDOptions, class ParamState = torch::optim::SGDParamState>
void fused_step(O& optimizer, const Now& now, const Knob& lr_scale = 1) {
  const at::NoGradGuard no_grad;
  for (std::size_t g = 0; g < optimizer.param_groups().size(); ++g) {
    auto& group = optimizer.param_groups()[g];
    const auto& options = static_cast<const Options&>(group.options());
    detail::SgdRule rule{.lr = options.lr() * now.value_of(lr_scale),
                         .momentum = options.momentum(),
                         .dampening = options.dampening(),
                         .weight_decay = options.weight_decay(),
                         .nesterov = options.nesterov()};
    if (now.slots != nullptr) {
      // Asked for at each replay: loading an optimizer gives its groups other options.
      const auto rate = [&optimizer, g, lr_scale](const Now& at) {
        return static_cast<const Options&>(optimizer.param_groups()[g].options()).lr() * at.value_of(lr_scale);
      };
      rule.lr_on_device = now.slots->number(now, now.of_epoch, rate).to(at::kFloat);
    }
    detail::sgd_step<ParamState>(group.params(), optimizer.state(), rule);
  }
}

/// The same with the learning rates as they are.
///     loss.backward();
///     regimen::fused_step(sgd);
template <Fusible O>
void fused_step(O& optimizer) {
  fused_step(optimizer, Now{});
}

namespace detail {

/// The options that a recorded fused step freezes, group by group: when they change it must be recorded anew.
template <Fusible O, class Options = torch::optim::SGDOptions>
std::vector<double> frozen_options(O& optimizer) {
  std::vector<double> frozen;
  for (auto& group : optimizer.param_groups()) {
    const auto& options = static_cast<const Options&>(group.options());
    frozen.insert(frozen.end(),
                  {options.momentum(), options.dampening(), options.weight_decay(), options.nesterov() ? 1.0 : 0.0});
  }
  return frozen;
}

/// The tensors that an optimizer's steps go on from.
template <Fusible O, class ParamState = torch::optim::SGDParamState>
std::vector<at::Tensor> state_tensors(O& optimizer) {
  std::vector<at::Tensor> tensors;
  for (auto& entry : optimizer.state()) {
    const at::Tensor& buffer = static_cast<ParamState&>(*entry.second).momentum_buffer();
    if (buffer.defined()) {
      tensors.push_back(buffer);
    }
  }
  return tensors;
}

}  // namespace detail
}  // namespace regimen::inline v0
