#pragma once

#include <optional>
#include <string>
#include <vector>

#include "regimen/curvature/loss_surface.hpp"
#include "regimen/curvature/top.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/curvature_choice.hpp"
#include "regimen/measure/detail/eigenvalue_numbers.hpp"
#include "regimen/measure/detail/surface_for.hpp"
#include "regimen/model/selector.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

/// A measure: the largest and smallest eigenvalues, signed, of the Hessian of the mean loss or of another curvature
/// matrix, by `top` (Lanczos' iteration, made orthogonal twice). Numbers "largest", "largest_2", ..., "smallest",
/// "smallest_2", ... and "residual", the largest ||A v - value v|| of all: each eigenvalue is off by this at most.
///
/// Costs 6 to 30 products of F + 3 B, and a vector of weights each. Deterministic: `top.seed` sets the first vector
/// alone. Not invariant under rescaling of ReLU layers, nor under scale of the logits: at a perfect fit the cross
/// entropy's Hessian falls to 0 as logits grow. Throws Error without data and for settings out of range.
///     scoring.measures["hessian"] = regimen::TopEigenvalue{.data = train};   // hessian_largest, hessian_smallest, ...
struct TopEigenvalue {
  std::optional<Source> data{};  ///< the phase's own by default
  Evaluation how{};
  AnySelector parameters = AllParameters{};
  Curvature curvature = Curvature::hessian;
  TopOptions top{.largest = 1, .smallest = 1};

  void check() const { top.check(); }

  [[nodiscard]] SpectrumEnds ends(const Probe& probe) const {
    check();
    return with_curvature(curvature, detail::surface_for(data, how, parameters, probe, "TopEigenvalue"),
                          [this](const auto& a) { return regimen::top(a, top); });
  }

  [[nodiscard]] std::vector<std::string> names() const { return detail::eigenvalue_names(top); }
  Numbers operator()(const Probe& probe) const { return detail::eigenvalue_numbers(ends(probe), top); }
};

}  // namespace regimen::inline v0
