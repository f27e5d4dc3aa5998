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

#include "regimen/base/error.hpp"
#include "regimen/base/manifest.hpp"
#include "regimen/optimizer/detail/group_options.hpp"
#include "regimen/optimizer/detail/numbers.hpp"
#include "regimen/optimizer/fused.hpp"

namespace torch::optim {
class Adagrad;
struct AdagradOptions;
struct AdagradParamState;
class LBFGS;
}  // namespace torch::optim

namespace regimen::inline v0 {

namespace detail {

/// Empties an optimizer's state. An optimizer whose constructor makes state needs a `clear_state()` that makes it anew.
/// LibTorch's Adagrad has none, though its step asserts that its state exists: it is handled here. Its types are
/// complete wherever such an optimizer exists.
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

/// A function that computes the loss and its gradients anew; LibTorch's optimizers call it in their `step`.
using Closure = std::function<at::Tensor()>;

/// An optimizer with the interface of LibTorch's: all of LibTorch's, and classes of your own derived from
/// torch::optim::Optimizer. A phase empties the state at its begin, by default. If the constructor of your class makes
/// state, give it a `void clear_state()` that makes it anew, and pass it as its own type, not as a reference to its
/// base.
template <class O>
concept Optimizes = requires(O& optimizer, const Closure& objective) {
  optimizer.step(objective);
  optimizer.param_groups().front().params();
  { optimizer.param_groups().front().options().get_lr() } -> std::convertible_to<double>;
  optimizer.state().clear();
};

namespace detail {

/// Whether P is a pointer, smart or raw, to an optimizer.
template <class P>
inline constexpr bool points_to_optimizer =
    requires(P& pointer) { requires Optimizes<std::remove_reference_t<decltype(*pointer)>>; };

}  // namespace detail

/// A borrowed optimizer, which must outlive the phase; a temporary is a compile error.
///
/// The optimizer keeps its own options. A phase needs little of it: a step, learning rates, parameters and a state that
/// can be cleared; momentum and weight decay only if they follow a schedule.
class OptimizerRef {
 public:
  OptimizerRef() = default;

  template <class O>
    requires(!std::same_as<std::remove_cvref_t<O>, OptimizerRef> && !detail::StandIn<std::remove_cvref_t<O>>)
  OptimizerRef(O&& optimizer) {  // NOLINT: an optimizer is what it refers to
    using Given = std::remove_cvref_t<O>;
    static_assert(!detail::points_to_optimizer<Given>,
                  "this is a pointer to an optimizer: pass *optimizer, and let it outlive the phase");
    static_assert(std::is_lvalue_reference_v<O> || detail::points_to_optimizer<Given>,
                  "an optimizer is borrowed: name it and let it outlive the phase, a temporary would be gone");
    static_assert(Optimizes<std::remove_reference_t<O>> || detail::points_to_optimizer<Given>,
                  "an optimizer must derive from torch::optim::Optimizer, or have its step(closure), param_groups() "
                  "and state()");
    if constexpr (std::is_lvalue_reference_v<O> && Optimizes<std::remove_reference_t<O>>) {
      bind(optimizer);
    }
  }

  [[nodiscard]] bool defined() const { return parts_ != nullptr; }

  void step(const Closure& objective) const { parts_->step(objective); }

  /// Whether `fused_step` supports the optimizer.
  [[nodiscard]] bool fusible() const { return parts_->fused != nullptr; }
  void fused_step(const Moment& now, const OptimizerKnobs& knobs) const { parts_->fused->step(now, knobs); }

  /// Options that a recorded fused step keeps, and tensors that its steps continue from (fused.hpp). Only if
  /// `fusible()`.
  [[nodiscard]] std::vector<double> captured_options() const { return parts_->fused->captured_options(); }
  [[nodiscard]] std::vector<at::Tensor> state_tensors() const { return parts_->fused->state_tensors(); }

  /// Resets the state so that the next step depends on its own gradients alone. Only if `fusible()`.
  void make_state_neutral() const { parts_->fused->make_state_neutral(); }

  /// Whether the optimizer is known to call its closure more than once per step: torch::optim::LBFGS, and classes
  /// derived from it unless passed as torch::optim::Optimizer&. Another class may do so unknown to this function.
  [[nodiscard]] bool evaluates_again() const { return parts_->evaluates_again; }

  /// Clears momentum buffers and other state.
  void clear_state() const { parts_->clear_state(); }

  /// The learning rate of each parameter group.
  [[nodiscard]] std::vector<double> learning_rates() const { return parts_->rates.get(); }
  void set_learning_rates(const std::vector<double>& rates) const { parts_->rates.set(rates); }
  [[nodiscard]] const detail::GroupNumbers& rates() const { return parts_->rates; }

  /// Whether a schedule can drive the momentum and weight decay: SGD, Adam, AdamW, RMSprop and classes derived from
  /// them, unless passed as a reference to their base.
  [[nodiscard]] bool has_momentum() const { return parts_->momenta != nullptr; }
  [[nodiscard]] const detail::GroupNumbers& momenta() const { return *parts_->momenta; }
  [[nodiscard]] const detail::GroupNumbers& weight_decays() const { return *parts_->weight_decays; }

  [[nodiscard]] std::vector<at::Tensor> parameters() const {
    std::vector<at::Tensor> all;
    for (const std::vector<at::Tensor>& group : parts_->groups()) {
      all.insert(all.end(), group.begin(), group.end());
    }
    return all;
  }

  /// The parameters of each parameter group.
  [[nodiscard]] std::vector<std::vector<at::Tensor>> groups() const { return parts_->groups(); }

  /// A checksum of the optimizer's state; "none" if it is empty.
  [[nodiscard]] std::string state_crc32() const { return parts_->state_crc32(); }

  /// Type and options as JSON, computed at each call: options may change until a run begins.
  [[nodiscard]] std::string manifest() const { return defined() ? parts_->manifest() : "null"; }

 private:
  struct Fused {
    std::function<void(const Moment&, const OptimizerKnobs&)> step;
    std::function<std::vector<double>()> captured_options;
    std::function<std::vector<at::Tensor>()> state_tensors;
    std::function<void()> make_state_neutral;
  };

  struct Parts {
    std::function<void(const Closure&)> step;
    std::shared_ptr<const Fused> fused;  // null if not fusible
    bool evaluates_again = false;
    std::function<void()> clear_state;
    detail::GroupNumbers rates;
    std::shared_ptr<const detail::GroupNumbers> momenta;  // null if they cannot be driven
    std::shared_ptr<const detail::GroupNumbers> weight_decays;
    std::function<std::vector<std::vector<at::Tensor>>()> groups;
    std::function<std::string()> state_crc32;
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
          Fused{.step = [borrowed](const Moment& now,
                                   const OptimizerKnobs& knobs) { regimen::fused_step(*borrowed, now, knobs); },
                .captured_options = [borrowed] { return detail::captured_options(*borrowed); },
                .state_tensors = [borrowed] { return detail::state_tensors(*borrowed); },
                .make_state_neutral = [borrowed] { detail::make_state_neutral(*borrowed); }});
    }
    std::shared_ptr<const detail::GroupNumbers> momenta;
    std::shared_ptr<const detail::GroupNumbers> weight_decays;
    if constexpr (detail::HasMomentum<O>) {
      momenta = std::make_shared<const detail::GroupNumbers>(detail::momenta(borrowed));
      weight_decays = std::make_shared<const detail::GroupNumbers>(detail::weight_decays(borrowed));
    }
    parts_ = std::make_shared<const Parts>(Parts{
        .step = [borrowed](const Closure& objective) { borrowed->step(objective); },
        .fused = fused,
        .evaluates_again = std::is_base_of_v<torch::optim::LBFGS, O> ||
                           detail::name_of_object(typeid(optimizer)) == "torch::optim::LBFGS",
        .clear_state = [borrowed] { detail::clear_state(*borrowed); },
        .rates = detail::rates(borrowed),
        .momenta = momenta,
        .weight_decays = weight_decays,
        .groups =
            [borrowed] {
              std::vector<std::vector<at::Tensor>> groups;
              for (auto& group : borrowed->param_groups()) {
                groups.emplace_back(group.params().begin(), group.params().end());
              }
              return groups;
            },
        .state_crc32 = [borrowed] { return detail::state_crc32(*borrowed); },
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

/// Sets the momentum of every parameter group; for Adam and AdamW the first of their betas.
///     regimen::set_momentum(sgd, cycle(clock));
template <class O>
void set_momentum(O& optimizer, double momentum) {
  static_assert(detail::HasMomentum<O>, "set_momentum takes SGD, Adam, AdamW, RMSprop, and what derives from them");
  const detail::GroupNumbers numbers = detail::momenta(&optimizer);
  numbers.set(std::vector<double>(optimizer.param_groups().size(), momentum));
}

/// Sets the weight decay of every parameter group.
///     regimen::set_weight_decay(adamw, 0.05 * decay(clock));
template <class O>
void set_weight_decay(O& optimizer, double weight_decay) {
  static_assert(detail::HasMomentum<O>, "set_weight_decay takes SGD, Adam, AdamW, RMSprop, and what derives from them");
  const detail::GroupNumbers numbers = detail::weight_decays(&optimizer);
  numbers.set(std::vector<double>(optimizer.param_groups().size(), weight_decay));
}

/// Former name of `Closure`.
using Objective [[deprecated("it is called regimen::Closure")]] = Closure;

}  // namespace regimen::inline v0
