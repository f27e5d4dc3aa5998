#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros_like.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "regimen/curvature/detail/surface_operator.hpp"
#include "regimen/curvature/loss_surface.hpp"

namespace regimen::inline v0 {

/// The Hessian of the mean loss in the weights, as an operator: d^2 L / dw^2, symmetric, indefinite in general.
///
/// A product costs F + 3 B over the data and no more memory than a batch (Pearlmutter 1994, by differentiating
/// <gradient, v>); k products at once cost F + (1 + 2 k) B. The second derivative of ReLU and of max pooling is 0.
/// Not invariant under rescaling of ReLU layers, and small where logits are large: see docs/measures.md.
///     const regimen::Hessian hessian(regimen::LossSurface(net, train, {.preprocess = {normalize}}));
///     const double sharpness = regimen::top(hessian).largest.front().value;
class Hessian : public detail::SurfaceOperator<Hessian> {
 public:
  using SurfaceOperator::SurfaceOperator;

  [[nodiscard]] at::Tensor apply_all(const at::Tensor& v) const {
    const auto columns = detail::columns_as_weights(surface(), v);
    at::Tensor sum = at::zeros_like(v);
    const at::AutoGradMode with_graph(true);
    const double counts = surface().each_loss([&](const at::Tensor& loss, double count) {
      const std::vector<at::Tensor> gradients = surface().gradients(loss, /*create_graph=*/true);
      for (std::size_t i = 0; i < columns.size(); ++i) {
        const at::Tensor slope = detail::inner_product(gradients, columns[i]);
        if (slope.defined()) {
          const bool again = i + 1 < columns.size();
          sum.select(1, static_cast<std::int64_t>(i))
              .add_(surface().flat(surface().gradients(slope, /*create_graph=*/false, again)), count);
        }
      }
    });
    return sum / counts;
  }
};

}  // namespace regimen::inline v0
