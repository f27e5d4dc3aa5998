#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros_like.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/curvature/detail/surface_operator.hpp"
#include "regimen/curvature/loss_surface.hpp"
#include "regimen/curvature/output_jacobian.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// The true Fisher information of a classifier, as an operator: the samples' mean of E_y~p g g', with p the softmax of
/// the outputs [N, C, ...] and g the gradient of log p_y, over all C classes exactly: J' (diag(p) - p p') J. No label
/// is looked at, and no loss. Positive semidefinite.
///
/// Equal to `GaussNewton` for cross entropy without class weights or ignored labels. A product costs F + 3 B; k
/// products at once cost F + (1 + 2 k) B. Positions after C (pixels, words) count as samples. Not invariant under
/// rescaling of ReLU layers.
class Fisher : public detail::SurfaceOperator<Fisher> {
 public:
  using SurfaceOperator::SurfaceOperator;

  [[nodiscard]] at::Tensor apply_all(const at::Tensor& v) const {
    const auto columns = detail::columns_as_weights(surface(), v);
    at::Tensor sum = at::zeros_like(v);
    std::int64_t count = 0;
    const at::AutoGradMode with_graph(true);
    surface().each_output([&](const at::Tensor& output, const Batch& /*batch*/) {
      if (output.dim() < 2) {
        throw Error("Fisher takes a classifier, with outputs of [N, C, ...], but they are " +
                    detail::described(output));
      }
      count += output.numel() / output.size(1);
      const at::Tensor precise = output.to(at::kDouble);
      const OutputJacobian jacobian(surface(), precise);
      const at::Tensor p = precise.detach().softmax(1);
      for (std::size_t i = 0; i < columns.size(); ++i) {
        const at::Tensor moved = jacobian.times(columns[i]);
        // Around their mean, as p moved - p <p, moved> would cancel where p is near 1.
        const at::Tensor bent = p * (moved - (p * moved).sum({1}, /*keepdim=*/true));
        sum.select(1, static_cast<std::int64_t>(i)).add_(jacobian.transposed_times(bent));
      }
    });
    return sum / static_cast<double>(count);
  }
};

/// The second moment of the samples' gradients, as an operator: the mean of g_i g_i' with g_i the gradient of sample
/// i's loss at its label, samples weighted as in the mean loss. Often called the empirical Fisher information, which it
/// is not: it agrees with `Fisher` only where the network's probabilities are right (Kunstner, Balles and Hennig 2019).
/// Positive semidefinite, of rank n at most.
///
/// A product costs F + 3 B, without gradients of single samples; k products at once cost F + (1 + 2 k) B. Takes losses
/// with `each`. Not invariant under rescaling of ReLU layers.
class EmpiricalFisher : public detail::SurfaceOperator<EmpiricalFisher> {
 public:
  using SurfaceOperator::SurfaceOperator;

  [[nodiscard]] at::Tensor apply_all(const at::Tensor& v) const {
    const auto columns = detail::columns_as_weights(surface(), v);
    at::Tensor sum = at::zeros_like(v);
    double count = 0;
    const at::AutoGradMode with_graph(true);
    surface().each_output([&](const at::Tensor& output, const Batch& batch) {
      const at::Tensor weights = surface().sample_weights(batch);
      count += weights.sum().item<double>();
      const OutputJacobian jacobian(surface(), surface().losses(output, batch));
      for (std::size_t i = 0; i < columns.size(); ++i) {
        sum.select(1, static_cast<std::int64_t>(i))
            .add_(jacobian.transposed_times(weights * jacobian.times(columns[i])));  // sum of a_i g_i (g_i . v)
      }
    });
    return sum / count;
  }
};

}  // namespace regimen::inline v0
