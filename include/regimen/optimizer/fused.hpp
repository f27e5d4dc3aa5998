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

/// The optimizers that `fused_step` supports. A derived class may have a step of its own, so it is not supported.
template <class O>
concept Fusible = std::is_same_v<O, torch::optim::SGD>;

/// Knobs that drive an optimizer's options during a step; the options themselves keep their values.
struct OptimizerKnobs {
  Knob lr_scale = 1;               ///< factor on the optimizer's learning rates
  std::optional<Knob> momentum{};  ///< in (0, 1), replaces the optimizer's momentum
  Knob weight_decay_scale = 1;     ///< factor on the optimizer's weight decays
};

/// Does one step of the optimizer, with its options as the knobs want them at this moment: in one pass over the
/// parameters' numbers on a CPU and a few kernels on a GPU, where `optimizer.step()` takes two to four operations per
/// parameter. Results agree up to rounding. The optimizer's own options and state are used, so the two kinds of step
/// may alternate, and checkpoints are the same.
///
/// In a recorded step (`Captured`) driven values and the options' own learning rates are read from the device, and so
/// are current at every replay; other momenta, dampenings and weight decays keep the recorded values. LibTorch's fused
/// kernel takes a learning rate from the device but no momentum and no weight decay: if these follow a schedule, a
/// recorded step has two to four kernels per parameter. Throws Error for a sparse gradient with momentum or weight
/// decay, before anything of its group is changed.
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
      // Read at each replay, since loading an optimizer replaces its groups' options.
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

/// Does one step with the learning rates times `lr_scale` at this moment.
///     regimen::fused_step(sgd, now, regimen::Cosine{.epochs = 90});
template <Fusible O>
void fused_step(O& optimizer, const Moment& now, const Knob& lr_scale = 1) {
  fused_step(optimizer, now, OptimizerKnobs{.lr_scale = lr_scale});
}

/// Does one step with the optimizer's own options.
///     loss.backward();
///     regimen::fused_step(sgd);
template <Fusible O>
void fused_step(O& optimizer) {
  fused_step(optimizer, Moment{});
}

namespace detail {

/// The options that a recorded fused step keeps, group by group: if they change, the step must be recorded anew.
template <Fusible O, class Options = torch::optim::SGDOptions>
std::vector<double> captured_options(O& optimizer) {
  std::vector<double> frozen;
  for (auto& group : optimizer.param_groups()) {
    const auto& options = static_cast<const Options&>(group.options());
    frozen.insert(frozen.end(),
                  {options.momentum(), options.dampening(), options.weight_decay(), options.nesterov() ? 1.0 : 0.0});
  }
  return frozen;
}

/// The momentum buffers, from which the next steps continue.
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

/// Resets the state in place, so that a step depends on its own gradients alone. For momentum that is 0; for a rule
/// that divides by its state, as Adam's does, it would be something else.
template <Fusible O>
void make_state_neutral(O& optimizer) {
  for (at::Tensor buffer : state_tensors(optimizer)) {
    buffer.zero_();
  }
}

}  // namespace detail
}  // namespace regimen::inline v0
