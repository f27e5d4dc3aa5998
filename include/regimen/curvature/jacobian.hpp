#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linalg_svdvals.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <cstdint>
#include <vector>

#include "regimen/curvature/loss_surface.hpp"
#include "regimen/curvature/output_jacobian.hpp"

namespace regimen::inline v0 {

/// The Jacobian J of all outputs by the weights as a matrix, [n C, size()] double on the surface's device, for n
/// samples with C outputs each. Rows are sample after sample, and within a sample output after output, as in `Gram`,
/// which has the products of J J' without the matrix.
///
/// Costs F + n C backward passes of a batch, and n C numbers a weight of memory: for small networks or few samples. No
/// loss and no label is looked at. BatchNorm is in eval mode, so a row depends on its sample alone.
///     const auto j = regimen::jacobian(regimen::LossSurface(net, train));
///     const auto linear = f_0 + j.matmul(w - w_0);       // the network as a linear function of its weights
[[nodiscard]] inline at::Tensor jacobian(const LossSurface& surface) {
  const at::AutoGradMode with_graph(true);
  std::vector<at::Tensor> rows;
  surface.each_output([&](const at::Tensor& output, const Batch& /*batch*/) {
    const OutputJacobian products(surface, output);
    for (std::int64_t i = 0; i < output.numel(); ++i) {
      const at::Tensor one = at::zeros({output.numel()}, output.options().requires_grad(false));
      one.select(0, i).fill_(1);
      rows.push_back(products.transposed_times(one.view(output.sizes())));
    }
  });
  return at::stack(rows);
}

/// The singular values of `jacobian(surface)`, [min(n C, size())] double, the largest first. On clusterable data as
/// many are large as there are clusters (Li, Soltanolkotabi and Oymak 2020).
[[nodiscard]] inline at::Tensor jacobian_singular_values(const LossSurface& surface) {
  return at::linalg_svdvals(jacobian(surface));
}

}  // namespace regimen::inline v0
