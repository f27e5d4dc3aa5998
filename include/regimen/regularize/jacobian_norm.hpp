#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstdint>
#include <utility>

#include "regimen/base/integer.hpp"
#include "regimen/key/key.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/pass.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/tensor/autocast.hpp"
#include "regimen/tensor/real.hpp"

namespace regimen::inline v0 {

/// strength / 2 * the mean over the samples of the squared Frobenius norm of the Jacobian of output by input (Hoffman,
/// Roberts and Yaida 2019). It is estimated without bias from `projections` random directions of the C outputs, with
/// one backward pass each: C * |v' J|^2 with v uniform on the sphere. With 0 projections it is exact, by C backward
/// passes, and two more, without a graph, that test whether samples depend on each other; if so, by N * C. The test
/// waits for the device, so the exact penalty is not recorded (`Execution::graph`). Directions are a function of (seed,
/// sample, epoch). The penalty is differentiated once more; ReLU's second derivative is 0 almost everywhere, and its
/// gradient then comes through the weights alone.
///
/// output [N, ...], batch.data [N, ...] floating. If batch.data requires a gradient, the graph of the pass itself is
/// used and the network does not run again:
///     batch.data.requires_grad_();
///     const auto output = net->forward(batch.data);
///     const auto loss = cross_entropy(output, batch.target) + jacobian.penalty({.batch = batch, .output = output});
/// Otherwise, as in `run`, the pass's model runs once more, in its current modes and in full precision, with its
/// buffers restored: BatchNorm's running statistics see the batch once. Dropout then draws anew. In train mode
/// BatchNorm makes the samples of a batch depend on each other; the Jacobian of a sample's output is then that by all
/// inputs.
///
/// Not for fp16, where the gradients inside the penalty are not scaled. Throws Error unless strength >= 0 and
/// projections >= 0; if the input requires no gradient and the pass has no model; for inputs that are not floating, and
/// outputs that do not depend on them.
struct JacobianNorm {
  NotNegative<"JacobianNorm.strength"> strength = 0.01;
  Integer projections = 1;
  std::uint64_t seed = 0;

  void check() const { detail::require(projections >= 0, "JacobianNorm.projections", "at least 0", projections); }

  [[nodiscard]] at::Tensor penalty(const Pass& pass) const {
    const detail::Autocast in_full(pass.batch.data.defined() ? pass.batch.data.device().type() : at::kCPU, false);
    const auto [input, output] = differentiable(pass);
    const at::Tensor flat = output.flatten(1);
    const std::int64_t outputs = flat.size(1);
    at::Tensor sum;
    const auto add = [&, &from = input](const at::Tensor& v) {
      const at::Tensor square = detail::as_real(slope(flat, from, v, /*create_graph=*/true)).square().sum();
      sum = sum.defined() ? sum + square : square;
    };
    if (projections > 0) {
      const at::Tensor drawn = directions(pass, flat, projections);
      for (std::int64_t i = 0; i < projections; ++i) {
        add(drawn.select(1, i));
      }
    } else {
      // One backward pass from all samples adds up their gradients: right if each output depends on its own input only.
      const std::int64_t rows = samples_meet(pass, flat, input) ? flat.size(0) : 1;
      for (std::int64_t i = 0; i < outputs * rows; ++i) {
        add(only(flat, i % outputs, i / outputs, flat.size(0) / rows));
      }
    }
    const double scale = projections == 0 ? 1 : static_cast<double>(outputs) / static_cast<double>(projections.value);
    return sum * (scale / (2 * static_cast<double>(flat.size(0)))) * pass.now.tensor(strength);
  }

 private:
  /// Input and output, connected by a graph.
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

  /// The gradient of v . flat by the input.
  static at::Tensor slope(const at::Tensor& flat, const at::Tensor& input, const at::Tensor& v, bool create_graph) {
    at::Tensor result =
        torch::autograd::grad({flat}, {input}, {v}, /*retain_graph=*/true, create_graph, /*allow_unused=*/true)[0];
    if (!result.defined()) {
      throw Error("JacobianNorm: the output does not depend on batch.data");
    }
    return result;
  }

  /// Whether a sample's output depends on another sample's input: then flipping the sign of every second sample's
  /// direction does more than flip the sign of its gradients.
  [[nodiscard]] bool samples_meet(const Pass& pass, const at::Tensor& flat, const at::Tensor& input) const {
    if (pass.now.slots != nullptr) {
      pass.now.slots->refuse("JacobianNorm with 0 projections looks at its gradients on the host");
    }
    const std::int64_t samples = flat.size(0);
    const at::Tensor v = directions(pass, flat, 1).select(1, 0);
    const at::Tensor sign =
        1 - 2 * at::arange(samples, flat.options().dtype(at::kLong)).remainder(2).to(flat.scalar_type());
    const at::Tensor as_it_is = slope(flat, input, v, /*create_graph=*/false).flatten(1);
    const at::Tensor turned = slope(flat, input, v * sign.unsqueeze(1), /*create_graph=*/false).flatten(1);
    const at::Tensor apart = (turned - as_it_is * sign.unsqueeze(1)).abs().max();
    return samples > 1 && apart.item<double>() > 1e-5 * as_it_is.abs().max().item<double>();
  }

  /// Random directions of length 1, [N, count, outputs].
  [[nodiscard]] at::Tensor directions(const Pass& pass, const at::Tensor& flat, std::int64_t count) const {
    const at::Tensor& given = pass.batch.id;
    const at::Tensor id = given.defined() ? given : at::arange(flat.size(0), flat.options().dtype(at::kLong));
    const Key key = Key(seed, id, pass.now).each_epoch();
    const at::Tensor normal = key.normal({count, flat.size(1)}).to(flat.scalar_type());
    return normal / normal.norm(2, {-1}, /*keepdim=*/true).clamp_min(1e-30);
  }

  /// A mask, [N, outputs]: 1 for this output of samples `first` to `first + samples - 1`, else 0.
  static at::Tensor only(const at::Tensor& flat, std::int64_t output, std::int64_t first, std::int64_t samples) {
    at::Tensor v = at::zeros_like(flat);
    v.select(1, output).narrow(0, first, samples).fill_(1);
    return v;
  }
};

}  // namespace regimen::inline v0
