#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/full_like.h>

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "regimen/detail/optimizer_options.hpp"
#include "regimen/error.hpp"
#include "regimen/fused.hpp"
#include "regimen/manifest.hpp"

namespace torch::optim {
class Adagrad;
struct AdagradOptions;
struct AdagradParamState;
}  // namespace torch::optim

namespace regimen::inline v0 {

namespace detail {

/// Leaves an optimizer's state as its constructor does: empty. An optimizer that makes its state in its constructor
/// has a `clear_state()` of its own. LibTorch's Adagrad is one and has none, and asserts ever after that its state is
/// there; its types are complete wherever somebody has such an optimizer.
template <class O, class Options = torch::optim::AdagradOptions, class State = torch::optim::AdagradParamState>
void clear_state(O& optimizer) {
  if constexpr (requires { optimizer.clear_state(); }) {
    optimizer.clear_state();
  } else if constexpr (std::is_base_of_v<torch::optim::Adagrad, O>) {
    const double sum = static_cast<const Options&>(optimizer.defaults()).initial_accumulator_value();
    for (auto& entry : optimizer.state()) {
      auto& state = static_cast<State&>(*entry.second);
      state.step(0);
      state.sum(at::full_like(state.sum(), sum));
    }
  } else {
    optimizer.state().clear();
  }
}

}  // namespace detail

/// Computes the loss and its gradients anew; what LibTorch calls a closure.
using Objective = std::function<at::Tensor()>;

/// Anything that steps as LibTorch's optimizers do: all of theirs, and a class of your own derived from
/// torch::optim::Optimizer. If its constructor makes state, give it a `void clear_state()` that makes it anew, and
/// hand it over as its own type, not as a reference to its base: by default the state is emptied when a phase begins.
template <class O>
concept Optimizes = requires(O& optimizer, const Objective& objective) {
  optimizer.step(objective);
  optimizer.param_groups().front().params();
  { optimizer.param_groups().front().options().get_lr() } -> std::convertible_to<double>;
  optimizer.state().clear();
};

/// A borrowed optimizer. It must outlive the phase; a temporary is a compile error.
///
/// Momentum, weight decay and everything else stay the optimizer's own. What a regime needs of it is little: a step,
/// the learning rates, the parameters, and a state that can be cleared.
class OptimizerRef {
 public:
  OptimizerRef() = default;

  template <class O>
    requires(!std::same_as<std::remove_cvref_t<O>, OptimizerRef> && !detail::StandIn<std::remove_cvref_t<O>>)
  OptimizerRef(O&& optimizer) {  // NOLINT: an optimizer is what it refers to
    static_assert(std::is_lvalue_reference_v<O>,
                  "an optimizer is borrowed: name it and let it outlive the phase, a temporary would be gone");
    static_assert(Optimizes<std::remove_reference_t<O>>,
                  "an optimizer must derive from torch::optim::Optimizer, or have its step(closure), param_groups() "
                  "and state()");
    if constexpr (std::is_lvalue_reference_v<O> && Optimizes<std::remove_reference_t<O>>) {
      bind(optimizer);
    }
  }

  [[nodiscard]] bool defined() const { return parts_ != nullptr; }

  void step(const Objective& objective) const { parts_->step(objective); }

  /// Whether there is a `fused_step` for it.
  [[nodiscard]] bool fusible() const { return parts_->fused != nullptr; }
  void fused_step(const Now& now, const Knob& lr_scale) const { parts_->fused->step(now, lr_scale); }

  /// What a recorded fused step freezes, and what its steps go on from (fused.hpp). For one that is fusible.
  [[nodiscard]] std::vector<double> frozen_options() const { return parts_->fused->frozen_options(); }
  [[nodiscard]] std::vector<at::Tensor> state_tensors() const { return parts_->fused->state_tensors(); }

  /// Forgets momentum buffers and the like.
  void clear_state() const { parts_->clear_state(); }

  /// One rate a parameter group.
  [[nodiscard]] std::vector<double> learning_rates() const { return parts_->learning_rates(); }
  void set_learning_rates(const std::vector<double>& rates) const { parts_->set_learning_rates(rates); }

  [[nodiscard]] std::vector<at::Tensor> parameters() const { return parts_->parameters(); }

  /// Type and options, written when it is asked: options may change until a run begins.
  [[nodiscard]] std::string manifest() const { return defined() ? parts_->manifest() : "null"; }

 private:
  struct Fused {
    std::function<void(const Now&, const Knob&)> step;
    std::function<std::vector<double>()> frozen_options;
    std::function<std::vector<at::Tensor>()> state_tensors;
  };

  struct Parts {
    std::function<void(const Objective&)> step;
    std::shared_ptr<const Fused> fused;  // none if there is none
    std::function<void()> clear_state;
    std::function<std::vector<double>()> learning_rates;
    std::function<void(const std::vector<double>&)> set_learning_rates;
    std::function<std::vector<at::Tensor>()> parameters;
    std::function<std::string()> manifest;
  };

  template <class O>
  void bind(O& optimizer) {
    if (!std::is_base_of_v<torch::optim::Adagrad, O> &&
        detail::name_of_object(typeid(optimizer)) == "torch::optim::Adagrad") {
      throw Error(
          "an Adagrad must be given as itself, not as a torch::optim::Optimizer&: its state, which it makes in "
          "its constructor, could not be made anew");
    }
    O* const borrowed = &optimizer;
    std::shared_ptr<const Fused> fused;
    if constexpr (Fusible<O>) {
      fused = std::make_shared<const Fused>(
          Fused{.step = [borrowed](const Now& now, const Knob& scale) { regimen::fused_step(*borrowed, now, scale); },
                .frozen_options = [borrowed] { return detail::frozen_options(*borrowed); },
                .state_tensors = [borrowed] { return detail::state_tensors(*borrowed); }});
    }
    parts_ = std::make_shared<const Parts>(Parts{
        .step = [borrowed](const Objective& objective) { borrowed->step(objective); },
        .fused = fused,
        .clear_state = [borrowed] { detail::clear_state(*borrowed); },
        .learning_rates =
            [borrowed] {
              std::vector<double> rates;
              for (auto& group : borrowed->param_groups()) {
                rates.push_back(group.options().get_lr());
              }
              return rates;
            },
        .set_learning_rates =
            [borrowed](const std::vector<double>& rates) {
              std::size_t i = 0;
              for (auto& group : borrowed->param_groups()) {
                group.options().set_lr(rates[i++]);
              }
            },
        .parameters =
            [borrowed] {
              std::vector<at::Tensor> tensors;
              for (auto& group : borrowed->param_groups()) {
                tensors.insert(tensors.end(), group.params().begin(), group.params().end());
              }
              return tensors;
            },
        .manifest = [borrowed] { return detail::describe_options(*borrowed); },
    });
  }

  std::shared_ptr<const Parts> parts_;
};

/// Sets the learning rate of every parameter group of an optimizer.
///     regimen::set_learning_rate(optimizer, 0.1 * decay(clock));
template <class O>
void set_learning_rate(O& optimizer, double rate) {
  for (auto& group : optimizer.param_groups()) {
    group.options().set_lr(rate);
  }
}

namespace detail {

/// Scales the rates while it lives, around one step: a checkpoint never sees the scaled ones.
class ScaledRates {
 public:
  ScaledRates(const OptimizerRef& optimizer, double scale) : optimizer_(optimizer), active_(scale != 1) {
    if (active_) {
      before_ = optimizer.learning_rates();
      std::vector<double> scaled = before_;
      for (double& rate : scaled) {
        rate *= scale;
      }
      optimizer.set_learning_rates(scaled);
    }
  }
  ~ScaledRates() {
    if (active_) {
      optimizer_.set_learning_rates(before_);
    }
  }
  ScaledRates(const ScaledRates&) = delete;
  ScaledRates& operator=(const ScaledRates&) = delete;

 private:
  const OptimizerRef& optimizer_;
  bool active_;
  std::vector<double> before_;
};

}  // namespace detail
}  // namespace regimen::inline v0
