#pragma once

#include <ATen/core/Tensor.h>

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "regimen/base/manifest.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/key/moment.hpp"
#include "regimen/model/model.hpp"
#include "regimen/record/erased.hpp"
#include "regimen/regularize/pass.hpp"
#include "regimen/tensor/named.hpp"

namespace regimen::inline v0 {

namespace detail {

struct NamesOfHooks {
  int penalty;
  int gradient;
  int weights;
};

// A hook is found by its name alone: if R has a member of that name, naming it in a class that derives from R and from
// NamesOfHooks is ambiguous. So a hook with a wrong signature, or an overloaded one, is an error and never silently
// unused.
template <class R>
struct HookProbe : R, NamesOfHooks {};

template <class R>
concept CanProbe = std::is_class_v<R> && !std::is_final_v<R>;

template <class R>
concept NamesPenalty = CanProbe<R> && !requires { &HookProbe<R>::penalty; };
template <class R>
concept NamesGradient = CanProbe<R> && !requires { &HookProbe<R>::gradient; };
template <class R>
concept NamesWeights = CanProbe<R> && !requires { &HookProbe<R>::weights; };

template <class R>
concept HasPenalty = requires(const R& r, const Pass& pass) {
  { r.penalty(pass) } -> std::same_as<at::Tensor>;
};
template <class R>
concept HasGradient = requires(const R& r, const Pass& pass) {
  { r.gradient(pass) } -> std::same_as<void>;
};
template <class R>
concept HasWeights = requires(const R& r, const Pass& pass) {
  { r.weights(pass) } -> std::same_as<void>;
};
template <class R>
concept IsPenalty = requires(const R& r, const Pass& pass) {
  { r(pass) } -> std::same_as<at::Tensor>;
};

}  // namespace detail

/// A type with at least one of these three hooks, all const:
///
///     at::Tensor penalty(const Pass&)   0-d, added to the loss before the backward pass
///     void gradient(const Pass&)        edits the gradients after it
///     void weights(const Pass&)         edits the parameters after the optimizer's step
///
/// A lambda from Pass to a tensor is a penalty.
///
/// Hooks of one step act in this order:
///
///     1. all penalties, in the order of `Phase::regularize`, of each of the step's batches
///     2. the backward pass, of each of the step's batches
///     3. in fp16: gradients unscaled; if one overflowed, 4 to 6 are left out
///     4. all gradient hooks, in the order of `Phase::regularize`
///     5. the optimizer's step, with its own weight decay
///     6. all weight hooks, in the order of `Phase::regularize`
///     7. observers: averages of the weights; also of a step that was left out
///
/// Steps 1 to 4 are repeated each time that an optimizer calls its closure. A gradient hook sees the gradients as the
/// hooks before it left them: put Sam first, then noise and clipping in the desired order, DecoupledDecay last.
///
/// If Sam's second gradient overflows in fp16, the hooks behind it and steps 5 and 6 are skipped; those before it have
/// acted.
template <class R>
concept Regularizer = detail::HasPenalty<R> || detail::HasGradient<R> || detail::HasWeights<R> || detail::IsPenalty<R>;

/// A regularizer of any type.
class AnyRegularizer : public detail::Erased {
 public:
  template <class R>
    requires(!std::same_as<R, AnyRegularizer> && !detail::StandIn<R>)
  AnyRegularizer(R regularizer) {  // NOLINT: a regularizer is one of any kind
    static_assert(!detail::NamesPenalty<R> || detail::HasPenalty<R>,
                  "penalty must be: at::Tensor penalty(const regimen::Pass&) const");
    static_assert(!detail::NamesGradient<R> || detail::HasGradient<R>,
                  "gradient must be: void gradient(const regimen::Pass&) const");
    static_assert(!detail::NamesWeights<R> || detail::HasWeights<R>,
                  "weights must be: void weights(const regimen::Pass&) const");
    static_assert(Regularizer<R>,
                  "a regularizer must have penalty, gradient or weights, or be callable as: "
                  "at::Tensor regularizer(const regimen::Pass&) const");
    if constexpr (Regularizer<R>) {
      auto hooks = std::make_shared<Hooks>();
      const auto shared = remember(std::move(regularizer));
      if constexpr (detail::HasPenalty<R>) {
        hooks->penalty = [shared](const Pass& pass) { return shared->penalty(pass); };
      } else if constexpr (detail::IsPenalty<R>) {
        hooks->penalty = [shared](const Pass& pass) { return (*shared)(pass); };
      }
      if constexpr (detail::HasGradient<R>) {
        hooks->gradient = [shared](const Pass& pass) { shared->gradient(pass); };
      }
      if constexpr (detail::HasWeights<R>) {
        hooks->weights = [shared](const Pass& pass) { shared->weights(pass); };
      }
      hooks_ = std::move(hooks);
    }
  }

  [[nodiscard]] bool has_penalty() const { return hooks_->penalty != nullptr; }

  /// The penalty, 0-d; undefined for a regularizer without one.
  [[nodiscard]] at::Tensor penalty(const Pass& pass) const {
    return hooks_->penalty ? hooks_->penalty(pass) : at::Tensor();
  }

  void gradient(const Pass& pass) const {
    if (hooks_->gradient) {
      hooks_->gradient(pass);
    }
  }

  void weights(const Pass& pass) const {
    if (hooks_->weights) {
      hooks_->weights(pass);
    }
  }

 private:
  struct Hooks {
    std::function<at::Tensor(const Pass&)> penalty;
    std::function<void(const Pass&)> gradient;
    std::function<void(const Pass&)> weights;
  };

  std::shared_ptr<const Hooks> hooks_;
};

}  // namespace regimen::inline v0
