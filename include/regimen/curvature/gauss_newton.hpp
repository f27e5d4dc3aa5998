#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "regimen/curvature/detail/surface_operator.hpp"
#include "regimen/curvature/loss_surface.hpp"
#include "regimen/curvature/output_jacobian.hpp"

namespace regimen::inline v0 {

/// The generalized Gauss-Newton matrix of the mean loss, as an operator: the samples' mean of J' H_z J, with J the
/// Jacobian of the outputs z by the weights and H_z the Hessian of the loss by the outputs (Schraudolph 2002). The
/// Hessian without the second derivatives of the network: positive semidefinite for losses that are convex in z, and
/// equal to the Hessian where the network is linear in w. For cross entropy without class weights or ignored labels H_z
/// is diag(p) - p p', and this is the true Fisher information.
///
/// Takes any loss that is twice differentiable in the outputs. A product costs F + 3 B and a batch's memory; k products
/// at once cost F + (1 + 2 k) B. Not invariant under rescaling of ReLU layers.
class GaussNewton : public detail::SurfaceOperator<GaussNewton> {
 public:
  using SurfaceOperator::SurfaceOperator;

  [[nodiscard]] at::Tensor apply_all(const at::Tensor& v) const {
    const auto columns = detail::columns_as_weights(surface(), v);
    at::Tensor sum = at::zeros_like(v);
    double counts = 0;
    const at::AutoGradMode with_graph(true);
    surface().each_output([&](const at::Tensor& output, const Batch& batch) {
      const LossSurface::Count count = surface().count(batch);
      counts += count.all;
      const at::Tensor precise = output.to(at::kDouble);
      const OutputJacobian jacobian(surface(), precise);
      const at::Tensor z = precise.detach().requires_grad_();
      const at::Tensor slope = torch::autograd::grad({surface().mean_loss(z, batch)}, {z}, {}, /*retain_graph=*/true,
                                                     /*create_graph=*/true)[0];
      for (std::size_t i = 0; i < columns.size() && slope.requires_grad(); ++i) {
        const at::Tensor moved = jacobian.times(columns[i]);
        const at::Tensor bent = torch::autograd::grad({slope}, {z}, {moved}, /*retain_graph=*/true)[0];
        sum.select(1, static_cast<std::int64_t>(i)).add_(jacobian.transposed_times(bent), count.factor);
      }
    });
    return sum / counts;
  }
};

}  // namespace regimen::inline v0
