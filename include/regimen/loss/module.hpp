#pragma once

#include <ATen/core/Reduction.h>
#include <ATen/core/Tensor.h>

#include <concepts>
#include <cstdint>
#include <string>
#include <typeinfo>

#include "regimen/base/error.hpp"
#include "regimen/base/type_name.hpp"
#include "regimen/batch/tensors.hpp"
#include "regimen/loss/count.hpp"
#include "regimen/loss/cross_entropy.hpp"
#include "regimen/loss/pointwise.hpp"
#include "regimen/tensor/described.hpp"

/// Properties of the loss modules of torch::nn beyond their forward.
namespace regimen::inline v0::detail {

/// A loss module of torch::nn in its holder.
template <class L>
concept LossModule = requires(L& loss, const at::Tensor& t) {
  { loss->forward(t, t) } -> std::convertible_to<at::Tensor>;
};

/// A module that judges labels: CrossEntropyLoss and NLLLoss.
template <class M>
concept JudgesLabels = requires(M& module) {
  module.options.ignore_index() + 0;
  module.weight.defined();
};

/// The reduction of a loss module; at::Reduction::Mean if it has no such option, and also for KLDivLoss's kBatchMean.
template <class M>
std::int64_t reduction_of(const M& module) {
  if constexpr (requires { std::int64_t(reduction_get_enum(module.options.reduction())); }) {
    if (get_enum_name(module.options.reduction()) == "kBatchMean") {
      return at::Reduction::Mean;
    }
    return reduction_get_enum(module.options.reduction());
  } else {
    return at::Reduction::Mean;
  }
}

/// Throws Error for targets that CrossEntropyLoss and NLLLoss cannot take.
inline void check_labels_of_module(const at::Tensor& target) {
  if (!target.defined() || (target.scalar_type() != at::kLong && !target.is_floating_point())) {
    throw Error("a loss module of torch::nn that judges labels takes int64, or distributions in floating point, not " +
                described(target) + (target.defined() ? ": make it int64 by .to(torch::kLong)" : ""));
  }
}

/// The denominator of the mean of CrossEntropyLoss and NLLLoss.
inline LossCount count_of_module(const at::Tensor& target, std::int64_t ignored, const at::Tensor& of_class) {
  check_labels_of_module(target);
  if (target.is_floating_point()) {
    return target.dim() < 2 ? target.numel() : target.numel() / target.size(1);
  }
  return counted_labels(target, ignored, of_class);
}

/// The target for a module of torch::nn: in the output's shape if it is floating, since some modules silently broadcast
/// [N] and [N, 1] to [N, N]. Throws Error if the shapes do not fit.
template <class M>
at::Tensor beside(const at::Tensor& output, const at::Tensor& target, const M& module) {
  const std::string name = name_of_object(typeid(module));
  if (name.rfind("torch::nn::", 0) != 0) {
    return target;  // a user's module may compare other things
  }
  if (!target.defined()) {
    throw Error(name + " takes targets, but the data have none");
  }
  if constexpr (JudgesLabels<const M>) {
    check_labels_of_module(target);
  } else if (target.is_floating_point()) {
    require_same_shape(output, target, name);
    return target.view_as(output);
  }
  return target;
}

}  // namespace regimen::inline v0::detail
