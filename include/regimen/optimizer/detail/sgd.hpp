#pragma once

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/zeros_like.h>

#if __has_include(<ATen/ops/_fused_sgd.h>)
#include <ATen/ops/_fused_sgd.h>
#endif

#include <cstdint>
#include <memory>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/batch/tensors.hpp"
#include "regimen/tensor/described.hpp"

/// The arithmetic of `fused_step`.
namespace regimen::inline v0::detail {

/// The rule of stochastic gradient descent, in PyTorch's terms (its variant of Sutskever et al. 2013).
struct SgdRule {
  double lr = 0;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
  at::Tensor lr_on_device{};        ///< 0-d float, replaces lr; undefined if lr is the number
  at::Tensor momentum_on_device{};  ///< 0-d, replaces momentum
  at::Tensor weight_decay_on_device{};

  /// Whether the numbers that the fused kernel wants on the host are known there.
  [[nodiscard]] bool known_here() const { return !momentum_on_device.defined() && !weight_decay_on_device.defined(); }
};

/// Parameters of one group on a GPU with their gradients and, with momentum, their momentum buffers.
struct SgdTensors {
  std::vector<at::Tensor> parameters;
  std::vector<at::Tensor> gradients;
  std::vector<at::Tensor> buffers;
};

/// One pass over a parameter's numbers; `buffer` is null without momentum.
template <class T>
void sgd_on_host(T* parameter, const T* gradient, T* buffer, std::int64_t n, const SgdRule& rule, bool first) {
  const T lr = static_cast<T>(rule.lr);
  const T decay = static_cast<T>(rule.weight_decay);
  const T kept = first ? T{0} : static_cast<T>(rule.momentum);
  const T taken = first ? T{1} : static_cast<T>(1 - rule.dampening);
  const T ahead = static_cast<T>(rule.momentum);
  constexpr std::int64_t grain = 1 << 15;  // numbers per thread at least
  at::parallel_for(0, n, grain, [&](std::int64_t begin, std::int64_t end) {
    if (buffer == nullptr) {
      for (std::int64_t i = begin; i < end; ++i) {
        parameter[i] -= lr * (gradient[i] + decay * parameter[i]);
      }
    } else if (rule.nesterov) {
      for (std::int64_t i = begin; i < end; ++i) {
        const T direction = gradient[i] + decay * parameter[i];
        buffer[i] = kept * buffer[i] + taken * direction;
        parameter[i] -= lr * (direction + ahead * buffer[i]);
      }
    } else {
      for (std::int64_t i = begin; i < end; ++i) {
        buffer[i] = kept * buffer[i] + taken * (gradient[i] + decay * parameter[i]);
        parameter[i] -= lr * buffer[i];
      }
    }
  });
}

/// Whether the three are float tensors with the same memory order and no gaps, so that one loop fits all.
inline bool one_loop_fits(const at::Tensor& parameter, const at::Tensor& gradient, const at::Tensor& buffer) {
  // The stride of a dimension of length 1 has no meaning, and autograd's may differ from the parameter's.
  const auto same_order = [&](const at::Tensor& other) {
    bool same = true;
    for (std::int64_t d = 0; d < parameter.dim(); ++d) {
      same = same && (parameter.size(d) == 1 || other.stride(d) == parameter.stride(d));
    }
    return same;
  };
  const auto fits = [&](const at::Tensor& other) {
    return other.layout() == at::kStrided && same_order(other) && other.scalar_type() == at::kFloat &&
           other.device() == parameter.device();
  };
  return fits(parameter) && parameter.is_non_overlapping_and_dense() && fits(gradient) &&
         (!buffer.defined() || fits(buffer));
}

/// parameter -= rate * direction
inline void descend(at::Tensor parameter, const at::Tensor& direction, const SgdRule& rule) {
  if (rule.lr_on_device.defined()) {
    parameter.sub_(direction * rule.lr_on_device);
  } else {
    parameter.add_(direction, -rule.lr);
  }
}

/// One step for a list of tensors, each operation on the whole list.
inline void sgd_by_lists(SgdTensors& all, const SgdRule& rule, bool first) {
  std::vector<at::Tensor> direction = all.gradients;
  if (rule.weight_decay != 0) {
    direction = at::_foreach_add(direction, all.parameters, rule.weight_decay);
  }
  if (!all.buffers.empty()) {
    at::_foreach_mul_(all.buffers, first ? 0.0 : rule.momentum);
    at::_foreach_add_(all.buffers, direction, first ? 1.0 : 1 - rule.dampening);
    direction = rule.nesterov ? at::_foreach_add(direction, all.buffers, rule.momentum) : all.buffers;
  }
  if (!rule.lr_on_device.defined()) {
    at::_foreach_add_(all.parameters, direction, -rule.lr);
    return;
  }
  for (std::size_t i = 0; i < direction.size(); ++i) {
    descend(all.parameters[i], direction[i], rule);
  }
}

/// One step by a few kernels for all parameters together, on a GPU: LibTorch's fused kernel if it exists (2.3 and
/// newer).
inline void sgd_on_device(SgdTensors& all, const SgdRule& rule, bool first) {
  if (all.parameters.empty()) {
    return;
  }
#if __has_include(<ATen/ops/_fused_sgd.h>)
  const auto step = [&](const auto& lr) {
    at::_fused_sgd_(all.parameters, all.gradients, all.buffers, rule.weight_decay, rule.momentum, lr, rule.dampening,
                    rule.nesterov, /*maximize=*/false, /*is_first_step=*/first);
  };
  rule.lr_on_device.defined() ? step(rule.lr_on_device) : step(rule.lr);
#else
  sgd_by_lists(all, rule, first);
#endif
}

/// One step for a single parameter, by LibTorch's own operations: for tensors that do not fit the above.
inline void sgd_by_operations(const at::Tensor& parameter, at::Tensor direction, at::Tensor buffer, const SgdRule& rule,
                              bool first) {
  if (rule.weight_decay_on_device.defined()) {
    direction = direction + parameter * rule.weight_decay_on_device;
  } else if (rule.weight_decay != 0) {
    direction = direction.add(parameter, rule.weight_decay);
  }
  const auto times_momentum = [&](const at::Tensor& tensor) {
    return rule.momentum_on_device.defined() ? tensor * rule.momentum_on_device : tensor * rule.momentum;
  };
  if (buffer.defined()) {
    if (first) {
      buffer.copy_(direction);
    } else {
      buffer.copy_(times_momentum(buffer)).add_(direction, 1 - rule.dampening);
    }
    direction = rule.nesterov ? direction + times_momentum(buffer) : buffer;
  }
  descend(parameter, direction, rule);
}

/// The key of a parameter in an optimizer's state: a number as text in LibTorch 1, a pointer since 2.0.
template <class State>
auto key_of_state(const State& /*state*/, const at::Tensor& parameter) {
  using Key = typename State::key_type;
  if constexpr (std::is_pointer_v<Key>) {
    return static_cast<Key>(parameter.unsafeGetTensorImpl());
  } else {
    std::ostringstream text;
    text << parameter.unsafeGetTensorImpl();
    return Key(text.str());
  }
}

/// A parameter's momentum buffer, undefined without momentum; `first`: it has no contents yet.
struct MomentumBuffer {
  at::Tensor tensor;
  bool first = false;
};

template <class ParamState, class State>
MomentumBuffer momentum_buffer(State& state, const at::Tensor& parameter, const SgdRule& rule) {
  if (rule.momentum == 0) {
    return {};
  }
  auto& entry = state[key_of_state(state, parameter)];
  const bool first = entry == nullptr || !static_cast<ParamState&>(*entry).momentum_buffer().defined();
  if (first) {
    auto fresh = std::make_unique<ParamState>();
    fresh->momentum_buffer(at::zeros_like(parameter));
    entry = std::move(fresh);
  }
  return {static_cast<ParamState&>(*entry).momentum_buffer(), first};
}

/// Throws Error for a sparse gradient if the step would have to add dense numbers to it.
inline void require_dense(const std::vector<at::Tensor>& parameters, const SgdRule& rule) {
  const bool decays = rule.weight_decay != 0 || rule.weight_decay_on_device.defined();
  for (const at::Tensor& parameter : parameters) {
    const at::Tensor gradient = parameter.grad();
    if (gradient.defined() && gradient.layout() != at::kStrided && (rule.momentum != 0 || decays)) {
      throw Error(
          "fused_step takes sparse gradients only without momentum and weight decay, and the gradient of a "
          "parameter " +
          described(parameter) + " is sparse: set Execution.fused and .graph to false" +
          (decays ? " and weight_decay to 0" : "") +
          ", or make that gradient dense: torch::nn::EmbeddingOptions::sparse(false)");
    }
  }
}

/// One step for the parameters of a group.
template <class ParamState, class State>
void sgd_step(const std::vector<at::Tensor>& parameters, State& state, const SgdRule& rule) {
  require_dense(parameters, rule);
  SgdTensors later_steps;
  SgdTensors first_steps;
  for (const at::Tensor& parameter : parameters) {
    const at::Tensor gradient = parameter.grad();
    if (!gradient.defined()) {
      continue;
    }
    const MomentumBuffer momentum = momentum_buffer<ParamState>(state, parameter, rule);
    const at::Tensor& buffer = momentum.tensor;
    const bool first = momentum.first;
    const bool together = rule.known_here() && one_loop_fits(parameter, gradient, buffer);
    if (together && parameter.is_cuda()) {
      SgdTensors& list = first ? first_steps : later_steps;
      list.parameters.push_back(parameter);
      list.gradients.push_back(gradient);
      if (buffer.defined()) {
        list.buffers.push_back(buffer);
      }
    } else if (together && parameter.is_cpu()) {
      sgd_on_host(parameter.data_ptr<float>(), gradient.data_ptr<float>(),
                  buffer.defined() ? buffer.data_ptr<float>() : nullptr, parameter.numel(), rule, first);
    } else {
      sgd_by_operations(parameter, gradient, buffer, rule, first);
    }
  }
  sgd_on_device(later_steps, rule, /*first=*/false);
  sgd_on_device(first_steps, rule, /*first=*/true);
}

}  // namespace regimen::inline v0::detail
