#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/conj.h>
#include <ATen/ops/fft_irfftn.h>
#include <ATen/ops/fft_rfftn.h>
#include <ATen/ops/roll.h>
#include <ATen/ops/zeros.h>

#include <cstdint>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/equilibrium/detail/as_vectors.hpp"
#include "regimen/equilibrium/detail/data_term.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// The data term of deblurring, |k * x - y|^2 / 2, where k * x is the circular convolution of the last dimension (k
/// [a]) or of the last two (k [a, b]): signals on a ring, images on a torus. k's middle, at index a / 2 rounded down,
/// lies on the sample itself: (k * x)[i] = the sum over j of k[a / 2 + j] x[i - j]. By FFT, n log n operations; all
/// members can be differentiated by x, z and tau, and by y.
///     const regimen::BlurTerm data(kernel, blurred);
///     const at::Tensor tikhonov = data.prox(at::zeros_like(blurred), at::tensor(1 / mu));   // min g + mu |x|^2 / 2
class BlurTerm {
 public:
  /// kernel [a] or [a, b] floating, no longer than y's last dimensions; y [N, ..., n] or [N, ..., m, n], float or
  /// double. Throws Error for other shapes and types.
  BlurTerm(const at::Tensor& kernel, const at::Tensor& y) : y_(y) {
    detail::require_samples(y, "BlurTerm: y");
    const std::int64_t dims = kernel.defined() ? kernel.dim() : 0;
    bool fits = dims >= 1 && dims <= 2 && kernel.numel() > 0 && kernel.is_floating_point() && y.dim() > dims &&
                (y.scalar_type() == at::kFloat || y.scalar_type() == at::kDouble);
    for (std::int64_t i = 1; fits && i <= dims; ++i) {
      fits = kernel.size(-i) <= y.size(-i);
    }
    if (!fits) {
      throw Error(
          "BlurTerm takes a kernel of [a] or [a, b] and y of [N, ..., n] or [N, ..., m, n], float or double, at "
          "least as long as the kernel, not " +
          detail::described(kernel) + " and " + detail::described(y));
    }
    std::vector<std::int64_t> shifts;
    std::vector<std::int64_t> kernel_dims;
    for (std::int64_t i = 0; i < dims; ++i) {
      dims_.push_back(i - dims);
      sizes_.push_back(y.size(i - dims));
      kernel_dims.push_back(i);
      shifts.push_back(-(kernel.size(i) / 2));
    }
    at::Tensor padded = at::zeros(sizes_, y.options().requires_grad(false));
    at::Tensor corner = padded;
    for (std::int64_t i = 0; i < dims; ++i) {
      corner = corner.narrow(i, 0, kernel.size(i));
    }
    corner.copy_(kernel.detach());
    transfer_ = at::fft_rfftn(padded.roll(shifts, kernel_dims), {}, dims_);
    gain_ = transfer_.abs().square();
  }

  /// k * x, in the shape of x.
  [[nodiscard]] at::Tensor apply(const at::Tensor& x) const {
    detail::require_shape_of(x, y_, "BlurTerm");
    return back(there(x) * transfer_);
  }
  /// The adjoint: the circular correlation with k.
  [[nodiscard]] at::Tensor adjoint(const at::Tensor& r) const {
    detail::require_shape_of(r, y_, "BlurTerm");
    return back(there(r) * transfer_.conj());
  }
  /// |k * x - y|^2 / 2 of each sample, [N] double.
  [[nodiscard]] at::Tensor value(const at::Tensor& x) const { return detail::half_squares(apply(x) - y_); }
  /// Its gradient.
  [[nodiscard]] at::Tensor slope(const at::Tensor& x) const { return adjoint(apply(x) - y_); }
  /// argmin_x tau g(x) + |x - z|^2 / 2, for tau 0-d or [N], at least 0.
  [[nodiscard]] at::Tensor prox(const at::Tensor& z, const at::Tensor& tau) const {
    detail::require_shape_of(z, y_, "BlurTerm");
    const at::Tensor step = detail::step_beside(tau, z);
    return back((there(z) + step * (there(y_) * transfer_.conj())) / (1 + step * gain_));
  }

 private:
  [[nodiscard]] at::Tensor there(const at::Tensor& x) const { return at::fft_rfftn(x, {}, dims_); }
  [[nodiscard]] at::Tensor back(const at::Tensor& x) const { return at::fft_irfftn(x, sizes_, dims_); }

  at::Tensor y_;
  std::vector<std::int64_t> dims_, sizes_;
  at::Tensor transfer_, gain_;  // the kernel's transform, and its squared modulus
};

}  // namespace regimen::inline v0
