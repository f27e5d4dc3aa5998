#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/curvature/density.hpp"
#include "regimen/curvature/loss_surface.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/curvature_choice.hpp"
#include "regimen/measure/detail/damping.hpp"
#include "regimen/measure/detail/surface_for.hpp"
#include "regimen/model/selector.hpp"
#include "regimen/source/source.hpp"
#include "regimen/statistics/monte_carlo.hpp"

namespace regimen::inline v0 {

/// A measure: the soft rank, or effective dimension, of a curvature matrix H: tr H (H + lambda I)^-1, the sum over
/// eigenvalues of h / (h + lambda), which counts those well above lambda (MacKay 1992; 2506.17809). In [0, rank of H];
/// negative eigenvalues, which only a Hessian has, count as 0.
///
/// `lambda` above 0 is a part of the largest eigenvalue, or if not `relative` a number on H's own scale, as a prior's
/// precision is: one number for all networks that are compared.
///
/// By `trace_of`, quadrature with `steps` products for each random vector; the interval is that of the vectors and does
/// not cover the error of too few `steps`. Numbers "value" and "half_width". Costs
/// `steps` products of F + 3 B a draw, and 6 to 30 more for the largest eigenvalue. The noise is a function of (seed,
/// draw), the same for all networks of one size. Not invariant under rescaling of ReLU layers; invariant under scale of
/// the loss if `relative`, not under scale of the logits. Throws Error without data and for settings out of range.
///     scoring.measures["soft_rank"] = regimen::SoftRank{.data = train, .lambda = 0.001};
struct SoftRank {
  std::optional<Source> data{};  ///< the phase's own by default
  Evaluation how{};
  AnySelector parameters = AllParameters{};
  Curvature curvature = Curvature::gauss_newton;
  double lambda = 0.01;  ///< above 0
  bool relative = true;  ///< whether lambda is a part of the largest eigenvalue
  Integer steps = 40;    ///< products with the operator a draw, at least 1
  Draws draws{};

  void check() const {
    draws.check();
    detail::require(lambda > 0, "SoftRank.lambda", "above 0", lambda);
    detail::require(steps >= 1, "SoftRank.steps", "at least 1", steps);
  }

  [[nodiscard]] MonteCarloEstimate estimate(const Probe& probe) const {
    check();
    return with_curvature(
        curvature, detail::surface_for(data, how, parameters, probe, "SoftRank"), [this](const auto& a) {
          std::int64_t products = 0;
          const detail::Damping damping = detail::damping_of(a, lambda, relative, draws.seed, products);
          const double added = damping.added;
          const auto share = [added](double h) { return h > 0 || std::isnan(h) ? h / (h + added) : 0; };
          MonteCarloEstimate rank = trace_of(share, a, draws, steps);
          rank.passes += products;
          rank.converged = rank.converged && damping.found;
          return rank;
        });
  }

  [[nodiscard]] std::vector<std::string> names() const { return {"value", "half_width"}; }
  Numbers operator()(const Probe& probe) const { return detail::value_and_half_width(estimate(probe)); }
};

}  // namespace regimen::inline v0
