#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cmath>
#include <cstdint>
#include <utility>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/equilibrium/solve_report.hpp"

namespace regimen::inline v0 {

/// Settings of `proximal_descent`.
struct ProximalDescent {
  double strength = 1;        ///< lambda of g + lambda h, at least 0 and finite
  double step = 1;            ///< tau of the first step, above 0 and finite
  double shrink = 0.5;        ///< times tau where the objective does not fall enough, in (0, 1)
  double decrease = 0.1;      ///< gamma: a step must lower the objective by gamma / tau |change|^2, in (0, 0.5]
  double tolerance = 1e-5;    ///< of |change| / |x| in a step, as of the first tau, above 0
  Integer iterations = 1000;  ///< at most, shrinkings included, at least 0

  void check() const {
    detail::require(strength >= 0 && std::isfinite(strength), "ProximalDescent.strength", "at least 0 and finite",
                    strength);
    detail::require(step > 0 && std::isfinite(step), "ProximalDescent.step", "above 0 and finite", step);
    detail::require(shrink > 0 && shrink < 1, "ProximalDescent.shrink", "in (0, 1)", shrink);
    detail::require(decrease > 0 && decrease <= 0.5, "ProximalDescent.decrease", "in (0, 0.5]", decrease);
    detail::require(tolerance > 0, "ProximalDescent.tolerance", "above 0", tolerance);
    detail::require(iterations >= 0, "ProximalDescent.iterations", "at least 0", iterations);
  }
};

/// Where `proximal_descent` has ended, and how: see `SolveReport`, whose `residual` is |change| / |x| of the last step
/// that was taken, times the first over the last tau, since a short step is no sign of a minimum; `evaluations` are h's
/// slopes.
class ProximalPoint : public SolveReport {
 public:
  ProximalPoint(SolveReport report, at::Tensor last) : SolveReport(std::move(report)), last_(std::move(last)) {}

  at::Tensor objective{};  ///< [iterations + 1, N] double: g + lambda h along the way
  at::Tensor step{};       ///< [N] double: tau at the end
  at::Tensor halvings{};   ///< [N] int64: how often tau was made smaller
  at::Tensor stuck{};      ///< [N] bool: given up, because no step of any size lowers the objective

  /// The minimum, [N, ...] without a graph. Throws Error, with numbers and a cure, unless every sample has converged.
  [[nodiscard]] at::Tensor solution() const {
    const auto lost = stuck.defined() ? stuck.sum().item<std::int64_t>() : 0;
    require_success("proximal_descent", lost > 0
                                            ? "For " + detail::text(lost) +
                                                  " no step lowers the objective: slope must be the gradient of value"
                                            : "Allow more iterations, or read last()");
    return last_;
  }

  /// The last iterate, whatever it is worth.
  [[nodiscard]] at::Tensor last() const { return last_; }

 private:
  at::Tensor last_;
};

}  // namespace regimen::inline v0
