#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstdint>
#include <utility>

#include "regimen/detail/buffer_guard.hpp"
#include "regimen/key.hpp"
#include "regimen/regularize.hpp"

namespace regimen::inline v0 {

/// strength / 2 * the mean over the samples of the squared Frobenius norm of the output's Jacobian by the input
/// (Hoffman, Roberts and Yaida 2019). Estimated without bias from `projections` random directions of the C outputs, a
/// backward pass each: C * |v' J|^2 with v uniform on the sphere; with 0 projections exactly, by C backward passes.
/// The directions are a function of (seed, sample, epoch). The penalty is differentiated once more; ReLU's second
/// derivative is 0 but in one point, and its gradient then comes through the weights alone.
///
/// output [N, ...], batch.data [N, ...] floating. Where batch.data carries gradients, the graph of the pass itself is
/// used and the network does not run again:
///     batch.data.requires_grad_();
///     const auto output = net->forward(batch.data);
///     const auto loss = cross_entropy(output, batch.target) + jacobian.penalty({.batch = batch, .output = output});
/// Otherwise, as in `run`, the pass's model runs once more, in the modes that it is in and in full precision, and its
/// buffers stay as they are: BatchNorm's running statistics see the batch once. Dropout then draws anew. In train mode
/// BatchNorm makes the samples of a batch depend on each other; v' J counts what all outputs owe to a sample.
///
/// Not for fp16, where the gradients inside the penalty are not scaled. Throws Error unless strength >= 0 and
/// projections >= 0; if the input carries no gradients and the pass names no model; for inputs that are not floating,
/// and outputs that do not depend on them.
struct JacobianNorm {
  Knob strength = 0.01;
  int projections = 1;
  std::uint64_t seed = 0;

  static constexpr auto strength_bounds = detail::Bounds::not_negative("JacobianNorm.strength");
  void check() const {
    strength_bounds.check(strength);
    detail::require(projections >= 0, "JacobianNorm.projections", "at least 0", projections);
  }

  [[nodiscard]] at::Tensor penalty(const Pass& pass) const {
    const auto [input, output] = differentiable(pass);
    const at::Tensor flat = output.flatten(1);
    const std::int64_t outputs = flat.size(1);
    const at::Tensor drawn = projections == 0 ? at::Tensor() : directions(pass, flat);
    at::Tensor sum;
    for (std::int64_t i = 0; i < (projections == 0 ? outputs : projections); ++i) {
      const at::Tensor v = projections == 0 ? only(flat, i) : drawn.select(1, i);
      const at::Tensor slope = torch::autograd::grad({flat}, {input}, {v}, /*retain_graph=*/true, /*create_graph=*/true,
                                                     /*allow_unused=*/true)[0];
      if (!slope.defined()) {
        throw Error("JacobianNorm: the output does not depend on batch.data");
      }
      const at::Tensor square = slope.square().sum();
      sum = sum.defined() ? sum + square : square;
    }
    const double scale = projections == 0 ? 1 : static_cast<double>(outputs) / projections;
    return sum * (scale / (2 * static_cast<double>(flat.size(0)))) * pass.now.tensor(strength, strength_bounds);
  }

 private:
  /// Input and output, joined by a graph.
  static std::pair<at::Tensor, at::Tensor> differentiable(const Pass& pass) {
    const at::Tensor& data = pass.batch.data;
    if (data.defined() && data.requires_grad() && pass.output.defined() && pass.output.requires_grad()) {
      return {data, pass.output};
    }
    if (pass.model == nullptr) {
      throw Error(
          "JacobianNorm differentiates the output by the input: call batch.data.requires_grad_() before the forward "
          "pass, or set Pass.model");
    }
    if (!data.defined() || !data.is_floating_point()) {
      throw Error("JacobianNorm takes batches whose data are floating");
    }
    Batch again = pass.batch;
    again.data = data.detach().requires_grad_();
    const detail::BufferGuard buffers(*pass.model);
    const at::Tensor output = pass.model->forward(again);
    return {again.data, output};
  }

  /// [N, projections, outputs], each of length 1.
  [[nodiscard]] at::Tensor directions(const Pass& pass, const at::Tensor& flat) const {
    const at::Tensor& given = pass.batch.id;
    const at::Tensor id = given.defined() ? given : at::arange(flat.size(0), flat.options().dtype(at::kLong));
    const Key key = Key(seed, id, pass.now).each_epoch();
    const at::Tensor normal = key.normal({projections, flat.size(1)}).to(flat.scalar_type());
    return normal / normal.norm(2, {-1}, /*keepdim=*/true).clamp_min(1e-30);
  }

  /// [N, outputs]: 1 for the output of this place, else 0.
  static at::Tensor only(const at::Tensor& flat, std::int64_t place) {
    at::Tensor v = at::zeros_like(flat);
    v.select(1, place).fill_(1);
    return v;
  }
};

}  // namespace regimen::inline v0
