#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cholesky_solve.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_cholesky_ex.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cstdint>
#include <tuple>

#include "regimen/equilibrium/anderson.hpp"
#include "regimen/equilibrium/detail/as_vectors.hpp"

namespace regimen::inline v0::detail {

/// The steps of Anderson's acceleration: remembers the last iterates with their residuals T(x) - x.
class AndersonStep {
 public:
  AndersonStep(const Anderson& how, const at::Tensor& x) : how_(how) {
    const at::Tensor vectors = as_vectors(x);
    iterates_ = at::zeros({vectors.size(0), how.memory, vectors.size(1)}, vectors.options());
    residuals_ = at::zeros({vectors.size(0), how.memory, vectors.size(1)}, vectors.options().dtype(at::kDouble));
  }

  /// The next iterate, given x and y = T(x).
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& y) {
    const std::int64_t slot = steps_++ % how_.memory;
    iterates_.select(1, slot).copy_(as_vectors(x));
    residuals_.select(1, slot).copy_(as_vectors(y).to(at::kDouble) - as_vectors(x).to(at::kDouble));
    const std::int64_t kept = std::min<std::int64_t>(steps_, how_.memory);
    const at::Tensor residuals = residuals_.narrow(1, 0, kept);
    const at::Tensor moved = iterates_.narrow(1, 0, kept).to(at::kDouble) + residuals * how_.mixing;
    return weights(residuals, slot).mT().bmm(moved).to(x.scalar_type()).view_as(x);
  }

 private:
  /// [N, kept, 1], with the sum 1, for residuals [N, kept, n].
  [[nodiscard]] at::Tensor weights(const at::Tensor& residuals, std::int64_t slot) const {
    const at::Tensor gram = residuals.bmm(residuals.mT());
    const at::Tensor largest = gram.diagonal(0, 1, 2).amax(1).view({-1, 1, 1});
    const at::Tensor is_usable = gram.isfinite().flatten(1).all(1).view({-1, 1, 1}) & largest.gt(0);
    const at::Tensor unit = at::eye(gram.size(1), gram.options());
    const at::Tensor scaled =
        at::where(is_usable, gram / at::where(is_usable, largest, at::ones_like(largest)) + how_.ridge * unit, unit);
    const auto [factor, info] = at::linalg_cholesky_ex(scaled);
    at::Tensor picard = at::zeros({gram.size(0), gram.size(1), 1}, gram.options());
    picard.select(1, slot).fill_(1);
    const at::Tensor solved = at::cholesky_solve(at::ones_like(picard), factor);
    const at::Tensor normalized = solved / solved.sum(1, /*keepdim=*/true);
    const at::Tensor holds = info.eq(0).view({-1, 1, 1}) & normalized.isfinite().all(1, /*keepdim=*/true);
    return at::where(holds, normalized, picard);
  }

  Anderson how_;
  std::int64_t steps_ = 0;
  at::Tensor iterates_;   // [N, memory, n]
  at::Tensor residuals_;  // [N, memory, n] double
};

}  // namespace regimen::inline v0::detail
