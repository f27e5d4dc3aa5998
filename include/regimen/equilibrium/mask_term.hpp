#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <cstdint>

#include "regimen/base/error.hpp"
#include "regimen/equilibrium/detail/as_vectors.hpp"
#include "regimen/equilibrium/detail/data_term.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// The data term of inpainting, |M x - M y|^2 / 2, where the mask M says which numbers of y were observed. Numbers of y
/// that were not are never looked at, and may be NaN.
///     const regimen::MaskTerm data(mask, seen);               // mask of 0 and 1, in or broadcast to the shape of seen
///     const at::Tensor x = data.prox(z, at::tensor(0.5));     // (z + tau M y) / (1 + tau M)
class MaskTerm {
 public:
  /// y [N, ...] floating; mask bool, or any type with the values 0 and 1, in y's shape or broadcast to it. Throws Error
  /// for other shapes and, on the CPU, for other values.
  MaskTerm(const at::Tensor& mask, const at::Tensor& y) {
    detail::require_samples(y, "MaskTerm: y");
    bool fits = mask.defined() && mask.dim() <= y.dim();
    for (std::int64_t i = 1; fits && i <= mask.dim(); ++i) {
      fits = mask.size(-i) == 1 || mask.size(-i) == y.size(-i);
    }
    if (!fits) {
      throw Error("MaskTerm takes a mask that can be broadcast to y of " + detail::described(y) + ", not " +
                  detail::described(mask));
    }
    if (mask.is_cpu() && !(mask.eq(0) | mask.eq(1)).all().item<bool>()) {
      throw Error("MaskTerm takes a mask of 0 and 1 (or false and true)");
    }
    const at::Tensor seen = mask.to(y.device()).ne(0).expand(y.sizes());
    mask_ = seen.to(y.scalar_type());
    y_ = at::where(seen, y, at::zeros_like(y));
  }

  /// M x, [N, ...].
  [[nodiscard]] at::Tensor apply(const at::Tensor& x) const {
    detail::require_shape_of(x, y_, "MaskTerm");
    return mask_ * x;
  }
  /// M' r, which is M r.
  [[nodiscard]] at::Tensor adjoint(const at::Tensor& r) const { return apply(r); }
  /// |M x - M y|^2 / 2 of each sample, [N] double.
  [[nodiscard]] at::Tensor value(const at::Tensor& x) const { return detail::half_squares(slope(x)); }
  /// Its gradient, M (x - y).
  [[nodiscard]] at::Tensor slope(const at::Tensor& x) const { return apply(x) - y_; }
  /// argmin_x tau g(x) + |x - z|^2 / 2, for tau 0-d or [N], at least 0; differentiable by z and tau.
  [[nodiscard]] at::Tensor prox(const at::Tensor& z, const at::Tensor& tau) const {
    detail::require_shape_of(z, y_, "MaskTerm");
    const at::Tensor step = detail::step_beside(tau, z);
    return (z + step * y_) / (1 + step * mask_);
  }

 private:
  at::Tensor mask_, y_;  // y_ is 0 where the mask is
};

}  // namespace regimen::inline v0
