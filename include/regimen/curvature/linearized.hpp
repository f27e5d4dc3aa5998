#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/curvature/loss_surface.hpp"
#include "regimen/curvature/output_jacobian.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// The outputs of the network's linear approximation in its weights, f(x; w_0) + J(x) (w - w_0), for all samples of the
/// surface's data: [N, ...] double on the surface's device. w_0 are the weights that the network has, `weights`
/// [size()] is w, as `LossSurface::weights` gives those of another copy. A network that stays close to this while it is
/// trained is in the lazy, or linear, regime (Chizat, Oyallon and Bach 2019; Bartlett, Montanari and Rakhlin 2021,
/// section 5).
///
/// Costs F + 3 B and the memory of a batch: no Jacobian is stored. Throws Error for a vector of another length.
///     const regimen::LossSurface at_start(start, test), trained(net, test);
///     const at::Tensor linear = regimen::linearized_outputs(at_start, trained.weights());
///     const at::Tensor off = regimen::outputs(net, test).output - linear;
[[nodiscard]] inline at::Tensor linearized_outputs(const LossSurface& surface, const at::Tensor& weights) {
  if (!weights.defined() || weights.dim() != 1 || weights.size(0) != surface.size()) {
    throw Error("linearized_outputs takes weights of [" + detail::text(surface.size()) + "], not " +
                detail::described(weights));
  }
  const at::AutoGradMode with_graph(true);
  const std::vector<at::Tensor> moved = surface.unflat(weights.to(surface.vector_options()) - surface.weights());
  std::vector<at::Tensor> parts;
  surface.each_output([&](const at::Tensor& output, const Batch& /*batch*/) {
    const at::Tensor change = OutputJacobian(surface, output).times(moved);
    parts.push_back(output.detach().to(at::kDouble) + change.detach().to(at::kDouble));
  });
  return at::cat(parts);
}

}  // namespace regimen::inline v0
