#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/stack.h>

#include <cmath>
#include <cstdint>
#include <tuple>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/curvature/detail/random_vectors.hpp"
#include "regimen/curvature/linear_operator.hpp"
#include "regimen/statistics/monte_carlo.hpp"
#include "regimen/tensor/doubles.hpp"

namespace regimen::inline v0 {

/// How a trace is estimated.
struct TraceOptions {
  Draws draws{};
  Integer sketch = 0;  ///< size of the subspace whose trace is taken exactly, at twice as many products, at least 0; 0
                       ///< is Hutchinson's estimator, size() or more the trace itself, at size() products
  Integer block = 4;   ///< products at once, at least 1, of the draws; changes speed and memory only, not the result

  void check() const {
    draws.check();
    detail::require(sketch >= 0, "TraceOptions.sketch", "at least 0", sketch);
    detail::require(block >= 1, "TraceOptions.block", "at least 1", block);
  }
};

namespace detail {

/// Random sign vectors with these numbers as columns, [n, count].
inline at::Tensor sign_columns(std::int64_t n, std::uint64_t seed, std::int64_t first, std::int64_t count,
                               const at::TensorOptions& options) {
  std::vector<at::Tensor> columns;
  for (std::int64_t i = 0; i < count; ++i) {
    columns.push_back(random_signs(n, seed, first + i, options));
  }
  return at::stack(columns, 1);
}

/// The trace of a matrix B with a confidence interval, B the operator `a` or a power of it, known by its quadratic
/// forms: `forms(v)` gives v_i'B v_i for the columns of v [n, count], as [count]. Exact on the subspace that `sketch`
/// products with `a` span, which holds most of the large eigenvalues; random signs estimate the rest. Without a sketch
/// this is Hutchinson's estimator, with one it is Hutch++. `passes` of the result are products, one for each form.
template <LinearOperator A, class Forms>
MonteCarloEstimate trace_of_forms(const A& a, const Forms& forms, std::int64_t sketch, std::int64_t block,
                                  const Draws& draws) {
  const std::int64_t n = a.size();
  const at::TensorOptions options = vector_options(a);
  if (sketch > 0 && sketch >= n) {
    const double exact = forms(at::eye(n, options)).sum().template item<double>();
    return std::isfinite(exact) ? MonteCarloEstimate{.value = exact, .half_width = 0, .passes = n, .converged = true}
                                : MonteCarloEstimate{.passes = n};
  }
  double exact = 0;
  at::Tensor basis;  // [n, sketch], orthonormal
  if (sketch > 0) {
    // Vectors beyond those of the draws, so that the draws are independent of the subspace.
    basis = std::get<0>(at::linalg_qr(apply_all(a, sign_columns(n, draws.seed, draws.most, sketch, options))));
    exact = forms(basis).sum().template item<double>();
  }
  MonteCarloEstimate result = monte_carlo_in_blocks(
      [&](std::int64_t first, std::int64_t count) {
        const at::Tensor v = sign_columns(n, draws.seed, first, count, options);
        return doubles_of(forms(basis.defined() ? v - basis.mm(basis.t().mm(v)) : v) + exact);
      },
      block, draws);
  result.passes += 2 * sketch;
  return result;
}

}  // namespace detail

/// The trace of an operator with a confidence interval, by Hutchinson's estimator (1990): the mean of v'Av over vectors
/// v of random signs. One draw has the variance 2 (||A||_F^2 - the sum of A_ii^2), and never more than with Gaussian
/// vectors, 2 ||A||_F^2. It draws until the interval is as narrow as `draws` asks for: a rule that looks at changes of
/// the running mean, as in PyHessian, stops too early.
///
/// With a `sketch`, Hutch++ (Meyer, Musco, Musco and Woodruff 2021): the trace is exact on the subspace that `sketch`
/// products span, which holds most of the large eigenvalues, and the draws estimate the rest. Worth it for spectra with
/// few large eigenvalues and a narrow interval. `passes` of the result are products with the operator.
///     const auto trace = regimen::trace(regimen::Hessian(surface), {.draws = {.relative = 0.05}});
template <LinearOperator A>
[[nodiscard]] MonteCarloEstimate trace(const A& a, const TraceOptions& how = {}) {
  how.check();
  return detail::trace_of_forms(
      a, [&](const at::Tensor& v) { return (v * detail::apply_all(a, v)).sum({0}); }, how.sketch, how.block, how.draws);
}

}  // namespace regimen::inline v0
