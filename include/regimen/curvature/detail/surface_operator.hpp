#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "regimen/curvature/loss_surface.hpp"

namespace regimen::inline v0::detail {

/// What the operators on the weights of a surface have in common; `Self` has apply_all(V), V [size(), k].
template <class Self>
class SurfaceOperator {
 public:
  explicit SurfaceOperator(LossSurface surface) : surface_(std::move(surface)) {}

  [[nodiscard]] std::int64_t size() const { return surface_.size(); }
  [[nodiscard]] at::Device device() const { return surface_.device(); }
  [[nodiscard]] const LossSurface& surface() const { return surface_; }
  [[nodiscard]] at::Tensor apply(const at::Tensor& v) const {
    return static_cast<const Self&>(*this).apply_all(v.unsqueeze(1)).select(1, 0);
  }

 private:
  LossSurface surface_;
};

/// The columns of V [size(), k] as tensors of the parameters' shapes.
inline std::vector<std::vector<at::Tensor>> columns_as_weights(const LossSurface& surface, const at::Tensor& v) {
  std::vector<std::vector<at::Tensor>> columns;
  for (std::int64_t i = 0; i < v.size(1); ++i) {
    columns.push_back(surface.unflat(v.select(1, i).contiguous()));
  }
  return columns;
}

/// The sum over all tensors of <a_i, b_i>, 0-d and differentiable, over the defined a_i; undefined if none is.
inline at::Tensor inner_product(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  at::Tensor sum;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].defined()) {
      const at::Tensor term = (a[i] * b[i]).sum();
      sum = sum.defined() ? sum + term : term;
    }
  }
  return sum;
}

}  // namespace regimen::inline v0::detail
