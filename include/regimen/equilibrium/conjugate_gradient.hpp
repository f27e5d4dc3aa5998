#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <cstdint>
#include <string>
#include <utility>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/equilibrium/concept.hpp"
#include "regimen/equilibrium/detail/as_vectors.hpp"
#include "regimen/equilibrium/solve_report.hpp"

namespace regimen::inline v0 {

/// When `conjugate_gradient` ends.
struct ConjugateGradient {
  double tolerance = 1e-4;   ///< of |v - A u| / |v| of every sample, above 0
  Integer iterations = 200;  ///< at most, at least 0

  void check() const {
    detail::require(tolerance > 0, "ConjugateGradient.tolerance", "above 0", tolerance);
    detail::require(iterations >= 0, "ConjugateGradient.iterations", "at least 0", iterations);
  }
};

/// Where `conjugate_gradient` has ended, and how: see `SolveReport`.
class LinearSolution : public SolveReport {
 public:
  LinearSolution(SolveReport report, at::Tensor last, at::Tensor is_indefinite)
      : SolveReport(std::move(report)), indefinite(std::move(is_indefinite)), last_(std::move(last)) {}

  at::Tensor indefinite;  ///< [N] bool: samples that were left where p'A p <= 0 for a direction p, so that their matrix
                          ///< is not positive definite

  /// The solution, [N, ...]. Throws Error unless every sample has converged.
  [[nodiscard]] at::Tensor solution() const {
    require_success("conjugate_gradient",
                    indefinite.any().item<bool>()
                        ? "The matrix of " + detail::text(indefinite.sum().item<std::int64_t>()) +
                              " of them is not positive definite: solve x = v + (I - A) x by Anderson"
                        : "Allow more iterations, or read last()");
    return last_;
  }

  /// The last iterate, whatever it is worth.
  [[nodiscard]] at::Tensor last() const { return last_; }

 private:
  at::Tensor last_;
};

/// The solution u of A u = v for each sample of v [N, ...] by conjugate gradients (Hestenes and Stiefel 1952), for
/// matrices A that are symmetric and positive definite, and known by their products: `product(p)` is A p of each
/// sample. Starts from 0. Exact up to rounding after as many products as a sample has numbers, and within a tolerance
/// after about the square root of A's condition number. A matrix that is not positive definite, met as p'A p <= 0, ends
/// its sample and is reported; one that is not symmetric does not converge. No graph is built. Throws Error for
/// settings out of their range, an empty batch, and products of another shape.
///     const auto product = [&](const at::Tensor& p) { return p.matmul(A); };
///     const at::Tensor u = regimen::conjugate_gradient(product, v).solution();
[[nodiscard]] inline LinearSolution conjugate_gradient(const SelfMap& product, const at::Tensor& v,
                                                       const ConjugateGradient& how = {}) {
  how.check();
  detail::require_samples(v, "conjugate_gradient");
  const at::NoGradGuard no_grad;
  at::Tensor u = at::zeros_like(v);
  at::Tensor left = v.detach();
  at::Tensor direction = left;
  at::Tensor squares = detail::inner_products(left, left);
  const at::Tensor length = squares.sqrt();
  const at::Tensor scale = at::where(length.gt(0), length, at::ones_like(length));
  at::Tensor indefinite = at::zeros_like(length).to(at::kBool);
  SolveReport report{.solver = "ConjugateGradient", .tolerance = how.tolerance};
  for (;;) {
    report.residual = squares.sqrt() / scale;
    report.converged = report.residual.le(how.tolerance);
    report.history.push_back(report.residual.max().item<double>());
    at::Tensor open = report.converged.logical_not() & report.residual.isfinite() & indefinite.logical_not();
    if (report.iterations >= how.iterations || !open.any().item<bool>()) {
      return LinearSolution(std::move(report), u, indefinite);
    }
    const at::Tensor image = detail::applied(product, direction, "conjugate_gradient");
    ++report.evaluations;
    ++report.iterations;
    const at::Tensor curvature = detail::inner_products(direction, image);
    indefinite = indefinite | (open & curvature.le(0));
    open = open & indefinite.logical_not();
    const at::Tensor none = at::zeros_like(curvature);
    const at::Tensor step = detail::per_sample(at::where(open, squares / curvature, none), u);
    u = at::where(detail::per_sample(open, u), u + step * direction, u);
    left = at::where(detail::per_sample(open, u), left - step * image, left);
    const at::Tensor after = detail::inner_products(left, left);
    direction = left + detail::per_sample(at::where(open, after / squares, none), u) * direction;
    squares = after;
  }
}

}  // namespace regimen::inline v0
