#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>

#include <cstdint>

#include "regimen/base/integer.hpp"
#include "regimen/key/key.hpp"
#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/pass.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/tensor/autocast.hpp"
#include "regimen/tensor/sums.hpp"

namespace regimen::inline v0 {

/// strength / 2 * the sum over all matrices of their squared largest singular value (Yoshida and Miyato 2017). A matrix
/// is a parameter of two or more dimensions, [out, ...] as [out, the rest]: for a convolution the kernel, as in
/// PyTorch's `spectral_norm`, and not the operator on images. In a transposed convolution the first dimension is that
/// of the inputs; PyTorch's takes the second there.
///
/// The singular value comes from power iteration, without a state between steps: `iterations` times v <- W'W v,
/// normalized, from a start that is a function of (seed, index among the matrices). |W v| never exceeds the singular
/// value, and approaches it faster the smaller the second one is; 10 iterations cost as much as 20 products of the
/// matrix with one sample. v counts as a constant, so the gradient is W v v'. Throws Error unless strength >= 0 and
/// iterations >= 1, and for complex parameters.
struct SpectralNorm {
  NotNegative<"SpectralNorm.strength"> strength = 0.01;
  Integer iterations = 10;
  std::uint64_t seed = 0;

  void check() const { detail::require(iterations >= 1, "SpectralNorm.iterations", "at least 1", iterations); }

  [[nodiscard]] at::Tensor penalty(const Pass& pass) const {
    std::vector<at::Tensor> stretched;
    const detail::Autocast in_full(pass.parameters.empty() ? at::kCPU : pass.parameters.front().device().type(), false);
    for (const at::Tensor& parameter : pass.parameters) {
      if (parameter.is_complex()) {
        throw Error("SpectralNorm takes real parameters: leave complex ones out by On");
      }
      if (parameter.dim() >= 2 && parameter.numel() > 0) {
        const at::Tensor matrix = parameter.flatten(1);
        stretched.push_back(matrix.mv(direction(matrix, static_cast<std::int64_t>(stretched.size()))));
      }
    }
    return detail::sum_of_squares(stretched) * (pass.now.tensor(strength) * 0.5);
  }

 private:
  /// A unit vector, [columns], near the direction that W [rows, columns] stretches most; 0 for a matrix of zeros.
  [[nodiscard]] at::Tensor direction(const at::Tensor& matrix, std::int64_t place) const {
    const at::NoGradGuard no_grad;
    const Key key(seed, at::full({1}, place, matrix.options().dtype(at::kLong)));
    const auto unit = [](const at::Tensor& v) { return v / v.norm().clamp_min(1e-30); };
    at::Tensor v = unit(key.normal({matrix.size(1)}).select(0, 0).to(matrix.scalar_type()));
    for (int i = 0; i < iterations; ++i) {
      v = unit(matrix.t().mv(matrix.mv(v)));
    }
    return v;
  }
};

}  // namespace regimen::inline v0
