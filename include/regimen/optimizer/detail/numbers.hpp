#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <vector>

#include "regimen/base/config.hpp"

namespace torch::optim {
class Adam;
struct AdamOptions;
class AdamW;
struct AdamWOptions;
class RMSprop;
struct RMSpropOptions;
struct RMSpropParamState;
class SGD;
struct SGDOptions;
}  // namespace torch::optim

/// Learning rate, momentum and weight decay of parameter groups. LibTorch gives access to the learning rate through the
/// base class of all options, to the other two only through the options' own type.
namespace regimen::inline v0::detail {

template <class O>
consteval auto find_options() {
  if constexpr (std::is_base_of_v<torch::optim::SGD, O>) {
    return std::type_identity<torch::optim::SGDOptions>{};
  } else if constexpr (std::is_base_of_v<torch::optim::Adam, O>) {
    return std::type_identity<torch::optim::AdamOptions>{};
  } else if constexpr (std::is_base_of_v<torch::optim::AdamW, O>) {
    return std::type_identity<torch::optim::AdamWOptions>{};
  } else if constexpr (std::is_base_of_v<torch::optim::RMSprop, O>) {
    return std::type_identity<torch::optim::RMSpropOptions>{};
  } else {
    return std::type_identity<void>{};
  }
}

/// The type of an optimizer's options; void if it is unknown here.
template <class O>
using OptionsOf = typename decltype(find_options<O>())::type;

/// The optimizers whose momentum and weight decay can be driven.
template <class O>
concept HasMomentum = !std::is_void_v<OptionsOf<O>>;

/// The momentum; for Adam the first of its betas.
template <class Options>
double& momentum_of(Options& options) {
  if constexpr (requires { options.betas(); }) {
    return std::get<0>(options.betas());
  } else {
    return options.momentum();
  }
}

/// One number of each parameter group, to be read and set.
struct GroupNumbers {
  std::function<std::vector<double>()> get;
  std::function<void(const std::vector<double>&)> set;
};

/// The learning rates of any optimizer.
template <class O>
GroupNumbers rates(O* optimizer) {
  return {.get =
              [=] {
                std::vector<double> values;
                for (auto& group : optimizer->param_groups()) {
                  values.push_back(group.options().get_lr());
                }
                return values;
              },
          .set =
              [=](const std::vector<double>& values) {
                std::size_t i = 0;
                for (auto& group : optimizer->param_groups()) {
                  group.options().set_lr(values[i++]);
                }
              }};
}

/// number(options) returns a reference to the number in a group's options.
template <HasMomentum O, class Number>
GroupNumbers group_numbers(O* optimizer, Number number) {
  const auto of = [number](auto& group) -> double& { return number(static_cast<OptionsOf<O>&>(group.options())); };
  return {.get =
              [=] {
                std::vector<double> values;
                for (auto& group : optimizer->param_groups()) {
                  values.push_back(of(group));
                }
                return values;
              },
          .set =
              [=](const std::vector<double>& values) {
                std::size_t i = 0;
                for (auto& group : optimizer->param_groups()) {
                  of(group) = values[i++];
                }
              }};
}

/// Adds missing momentum buffers of zeros. RMSprop makes them in a parameter's first step, and only if it has a
/// momentum then; if it gets one later, the zeros are what a momentum of 0 would have left.
template <class O, class State = torch::optim::RMSpropParamState>
void make_room_for_momentum(O& optimizer) {
  if constexpr (std::is_base_of_v<torch::optim::RMSprop, O>) {
    for (auto& entry : optimizer.state()) {
      auto& state = static_cast<State&>(*entry.second);
      if (state.square_avg().defined() && !state.momentum_buffer().defined()) {
        state.momentum_buffer(at::zeros_like(state.square_avg()));
      }
    }
  }
}

template <HasMomentum O>
GroupNumbers momenta(O* optimizer) {
  GroupNumbers numbers = group_numbers(optimizer, [](auto& options) -> double& { return momentum_of(options); });
  return {.get = numbers.get, .set = [=](const std::vector<double>& values) {
            numbers.set(values);
            if (std::any_of(values.begin(), values.end(), [](double momentum) { return momentum > 0; })) {
              make_room_for_momentum(*optimizer);
            }
          }};
}

template <HasMomentum O>
GroupNumbers weight_decays(O* optimizer) {
  return group_numbers(optimizer, [](auto& options) -> double& { return options.weight_decay(); });
}

}  // namespace regimen::inline v0::detail
