#pragma once

#include <ATen/core/grad_mode.h>

#include <optional>
#include <type_traits>
#include <vector>

#include "regimen/key/moment.hpp"
#include "regimen/optimizer/detail/sgd.hpp"

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

/// What may drive an optimizer's options during a step; they stay as they are.
struct OptimizerKnobs {
  Knob lr_scale = 1;               ///< times its own learning rates
  std::optional<Knob> momentum{};  ///< in (0, 1), instead of its own
  Knob weight_decay_scale = 1;     ///< times its own weight decays
};

/// What `optimizer.step()` does, with the options as the knobs want them at this moment, in one pass over the
/// parameters' numbers on a CPU and in a few kernels on a GPU, instead of two to four operations a parameter. The
/// optimizer's own options and state are used and kept, so either step may follow the other, and a checkpoint knows no
/// difference. The same up to rounding.
///
/// In a step that is recorded (`Captured`) what is driven is read from the device, and follows its schedule at every
/// replay, as do the options' own rates; momentum, dampening and weight decay are frozen otherwise. LibTorch's fused
/// kernel takes a rate from the device but no momentum and no weight decay: where these follow a schedule, a recorded
/// step has two to four kernels a parameter.
/// Throws Error, before it changes anything of a group, for a sparse gradient with momentum or weight decay.
///     regimen::fused_step(sgd, now, {.lr_scale = regimen::Cosine{.epochs = 90}, .momentum = 0.95});
template <Fusible O, class Options = torch::optim::SGDOptions, class ParamState = torch::optim::SGDParamState>
void fused_step(O& optimizer, const Moment& now, const OptimizerKnobs& knobs) {
  const at::NoGradGuard no_grad;
  for (std::size_t g = 0; g < optimizer.param_groups().size(); ++g) {
    auto& group = optimizer.param_groups()[g];
    const auto& options = static_cast<const Options&>(group.options());
    detail::SgdRule rule{.lr = options.lr() * detail::value_at(now, knobs.lr_scale),
                         .momentum = knobs.momentum ? detail::value_at(now, *knobs.momentum) : options.momentum(),
                         .dampening = options.dampening(),
                         .weight_decay = options.weight_decay() * detail::value_at(now, knobs.weight_decay_scale),
                         .nesterov = options.nesterov()};
    if (now.slots != nullptr) {
      // Asked for at each replay: loading an optimizer gives its groups other options.
      const auto rate = [&optimizer, g, scale = knobs.lr_scale](const Moment& at) {
        return static_cast<const Options&>(optimizer.param_groups()[g].options()).lr() * detail::value_at(at, scale);
      };
      rule.lr_on_device = now.slots->number(now, now.of_epoch, rate).to(at::kFloat);
      if (knobs.momentum && !knobs.momentum->constant()) {
        rule.momentum_on_device = now.tensor(*knobs.momentum);
      }
      if (!knobs.weight_decay_scale.constant() && options.weight_decay() != 0) {
        rule.weight_decay_on_device = now.tensor(knobs.weight_decay_scale) * options.weight_decay();
      }
    }
    detail::sgd_step<ParamState>(group.params(), optimizer.state(), rule);
  }
}

/// The same with only the learning rates driven.
///     regimen::fused_step(sgd, now, regimen::Cosine{.epochs = 90});
template <Fusible O>
void fused_step(O& optimizer, const Moment& now, const Knob& lr_scale = 1) {
  fused_step(optimizer, now, OptimizerKnobs{.lr_scale = lr_scale});
}

/// The same with the learning rates as they are.
///     loss.backward();
///     regimen::fused_step(sgd);
template <Fusible O>
void fused_step(O& optimizer) {
  fused_step(optimizer, Moment{});
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

/// Makes the state neutral, in place: a step from it follows from its own gradients alone. For momentum that is 0; a
/// rule that divides by what it remembers, as Adam's does, would say something else here.
template <Fusible O>
void make_state_neutral(O& optimizer) {
  for (at::Tensor buffer : state_tensors(optimizer)) {
    buffer.zero_();
  }
}

}  // namespace detail
}  // namespace regimen::inline v0
