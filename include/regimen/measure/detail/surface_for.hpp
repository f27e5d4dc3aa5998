#pragma once

#include <optional>
#include <string>

#include "regimen/curvature/loss_surface.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/data_for.hpp"
#include "regimen/model/selector.hpp"
#include "regimen/source/source.hpp"
#include "regimen/statistics/monte_carlo.hpp"

namespace regimen::inline v0::detail {

/// The loss surface that a measure with fields of its own looks at: its data or the phase's, its settings filled in
/// with the phase's, its selection of parameters. Throws Error, in the name of `who`, if there are no data.
inline LossSurface surface_for(const std::optional<Source>& data, const Evaluation& how, const AnySelector& parameters,
                               const Probe& probe, const std::string& who) {
  return {probe.model, data_for(data, probe, who), filled_in(how, probe.how), parameters, who};
}

/// An estimate as the two numbers of a measure.
inline Numbers value_and_half_width(const MonteCarloEstimate& estimate) {
  return {{"value", estimate.value}, {"half_width", estimate.half_width}};
}

}  // namespace regimen::inline v0::detail
