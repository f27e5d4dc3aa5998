#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

#include <utility>
#include <vector>

#include "regimen/curvature/detail/surface_operator.hpp"
#include "regimen/curvature/loss_surface.hpp"

namespace regimen::inline v0 {

/// Products with the Jacobian J of one batch's outputs, or losses, by the weights: of any tensor with a graph. Products
/// with J' are backward passes. J v comes from differentiating J' u by u, for which any u serves (the double-backward
/// trick), as LibTorch has no forward mode for all operations. Costs of a batch: B for J', 2 B for the first J v and B
/// for each further one. To be used in a visit of `LossSurface::each_output`, with gradients on:
///     const at::Tensor moved = regimen::OutputJacobian(surface, output).times(surface.unflat(v));  // [N, C]
class OutputJacobian {
 public:
  /// `of`: [N, ...], made with a graph, which must outlive this.
  OutputJacobian(const LossSurface& surface, at::Tensor of) : surface_(surface), of_(std::move(of)) {}

  /// J v in the shape of the outputs, without a graph; v in the parameters' shapes.
  [[nodiscard]] at::Tensor times(const std::vector<at::Tensor>& v) const {
    if (!of_.requires_grad()) {
      return at::zeros_like(of_);
    }
    if (!u_.defined()) {
      u_ = at::zeros_like(of_).requires_grad_();
      pulled_ = torch::autograd::grad({of_}, surface_.parameters(), {u_}, /*retain_graph=*/true, /*create_graph=*/true,
                                      /*allow_unused=*/true);
    }
    const at::Tensor product = detail::inner_product(pulled_, v);
    if (!product.defined() || !product.requires_grad()) {
      return at::zeros_like(of_);
    }
    const at::Tensor result = torch::autograd::grad({product}, {u_}, {}, /*retain_graph=*/true, /*create_graph=*/false,
                                                    /*allow_unused=*/true)[0];
    return result.defined() ? result : at::zeros_like(of_);
  }

  /// J' u, [size()] double; u in the shape of the outputs.
  [[nodiscard]] at::Tensor transposed_times(const at::Tensor& u) const {
    if (!of_.requires_grad()) {
      return at::zeros({surface_.size()}, surface_.vector_options());
    }
    return surface_.flat(torch::autograd::grad({of_}, surface_.parameters(), {u}, /*retain_graph=*/true,
                                               /*create_graph=*/false, /*allow_unused=*/true));
  }

 private:
  const LossSurface& surface_;
  at::Tensor of_;
  mutable at::Tensor u_;
  mutable std::vector<at::Tensor> pulled_;
};

}  // namespace regimen::inline v0
