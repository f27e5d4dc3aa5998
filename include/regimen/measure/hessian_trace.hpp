#pragma once

#include <optional>
#include <string>
#include <vector>

#include "regimen/curvature/loss_surface.hpp"
#include "regimen/curvature/trace.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/curvature_choice.hpp"
#include "regimen/measure/detail/surface_for.hpp"
#include "regimen/model/selector.hpp"
#include "regimen/source/source.hpp"
#include "regimen/statistics/monte_carlo.hpp"

namespace regimen::inline v0 {

/// A measure: the trace of the Hessian of the mean loss, or of another curvature matrix, with a confidence interval, by
/// `trace` (Hutchinson 1990, or with a sketch Hutch++). Numbers "value" and "half_width".
///
/// Costs a product a draw: B, times 2 and F/4 more for four draws at once. For the trace of a Fisher information
/// `FisherTrace` costs half as much. The noise is a function of (seed, draw), the same for all networks of one size.
/// Not invariant under rescaling of ReLU layers, nor under scale of the logits. Throws Error without data and for
/// settings out of range.
///     scoring.measures["trace"] = regimen::HessianTrace{.data = train, .trace = {.draws = {.relative = 0.05}}};
struct HessianTrace {
  std::optional<Source> data{};  ///< the phase's own by default
  Evaluation how{};
  AnySelector parameters = AllParameters{};
  Curvature curvature = Curvature::hessian;
  TraceOptions trace{};

  void check() const { trace.check(); }

  [[nodiscard]] MonteCarloEstimate estimate(const Probe& probe) const {
    check();
    return with_curvature(curvature, detail::surface_for(data, how, parameters, probe, "HessianTrace"),
                          [this](const auto& a) { return regimen::trace(a, trace); });
  }

  [[nodiscard]] std::vector<std::string> names() const { return {"value", "half_width"}; }
  Numbers operator()(const Probe& probe) const { return detail::value_and_half_width(estimate(probe)); }
};

}  // namespace regimen::inline v0
