#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/stack.h>

#include <cstddef>
#include <vector>

#include "regimen/base/integer.hpp"
#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/detail/row_norms.hpp"
#include "regimen/regularize/pass.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/tensor/gradients.hpp"

namespace regimen::inline v0 {

/// Scales all gradients by one factor so that their common l2 norm is at most `max_norm` (Pascanu, Mikolov and Bengio
/// 2013); the same bits as torch::nn::utils::clip_grad_norm_. Does not wait for the device. Throws Error unless
/// max_norm > 0.
struct ClipGradients {
  Positive<"ClipGradients.max_norm"> max_norm = 1;

  void gradient(const Pass& pass) const {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> norms;
    for (const at::Tensor& parameter : pass.parameters) {
      if (parameter.grad().defined()) {
        norms.push_back(parameter.grad().norm());
      }
    }
    if (norms.empty()) {
      return;
    }
    const at::Tensor total = at::stack(norms).norm();
    // In the precision of the gradients, as torch::nn::utils::clip_grad_norm_ does, for the same bits.
    const at::Tensor most = pass.now.tensor(max_norm).to(at::promoteTypes(at::kFloat, total.scalar_type()));
    const at::Tensor factor = (most / (total + 1e-6)).clamp_max(1);
    for (const at::Tensor& parameter : pass.parameters) {
      if (parameter.grad().defined()) {
        parameter.grad().mul_(factor.to(parameter.grad().device()));
      }
    }
  }
};

/// Clamps every entry of every gradient to [-bound, bound], as torch.nn.utils.clip_grad_value_. Unlike ClipGradients it
/// changes the gradient's direction. Throws Error unless bound > 0, and for complex gradients.
struct ClipValues {
  Positive<"ClipValues.bound"> bound = 1;

  void gradient(const Pass& pass) const {
    const at::NoGradGuard no_grad;
    const at::Tensor most = pass.now.tensor(bound);
    for (const at::Tensor& parameter : pass.parameters) {
      if (parameter.grad().defined()) {
        at::Tensor numbers = detail::present_numbers(detail::gradient_of(parameter));
        if (numbers.is_complex()) {
          throw Error(
              "ClipValues takes real gradients, for which there is an order; ClipGradients takes complex ones too");
        }
        const at::Tensor limit = detail::beside(most, numbers);
        numbers.clamp_(limit.neg(), limit);
      }
    }
  }
};

/// Adaptive gradient clipping: scales down the gradient G of each unit with weights W so that |G| <= factor * max(|W|,
/// floor) (Brock, De, Smith and Simonyan 2021, "High-Performance Large-Scale Image Recognition Without Normalization",
/// eq. 3; by units as there and in timm). Norms are l2. A unit is a row, along the first dimension, of a parameter of
/// two or more dimensions; a bias or a scale is one unit. In a transposed convolution, [in, out / groups, ...], a row
/// is therefore the outgoing weights of an input channel, as in timm, not the incoming weights of a unit.
///
/// `floor` lets weights grow from zero. `except_last`: number of parameters at the end that are not clipped; the paper
/// leaves out the final linear layer, whose weight and bias are 2. Throws Error unless factor > 0, floor > 0 and
/// except_last >= 0.
struct AdaptiveClip {
  Positive<"AdaptiveClip.factor"> factor = 0.01;
  double floor = 1e-3;
  Integer except_last = 0;

  static constexpr auto floor_bounds = Bounds::positive("AdaptiveClip.floor");
  void check() const {
    floor_bounds.check(floor);
    detail::require(except_last >= 0, "AdaptiveClip.except_last", "at least 0", except_last);
  }

  void gradient(const Pass& pass) const {
    const at::NoGradGuard no_grad;
    const at::Tensor share = pass.now.tensor(factor);
    const auto last = static_cast<std::size_t>(except_last);
    for (std::size_t i = 0; i + last < pass.parameters.size(); ++i) {
      const at::Tensor gradient = detail::gradient_of(pass.parameters[i]);
      if (gradient.defined()) {
        at::Tensor most = detail::norm_of_units(pass.parameters[i].detach()).clamp_min(floor) * share;
        if (gradient.is_sparse()) {  // a row of an embedding is a unit; only some rows are stored
          most = most.index_select(0, gradient._indices().select(0, 0));
        }
        at::Tensor numbers = detail::present_numbers(gradient);
        // A gradient of 0 makes this infinite, and then 1.
        const at::Tensor kept = (most / detail::norm_of_units(numbers)).clamp_max(1);
        numbers.mul_(kept.to(numbers.scalar_type()));
      }
    }
  }
};

}  // namespace regimen::inline v0
