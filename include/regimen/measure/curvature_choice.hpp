#pragma once

#include "regimen/base/error.hpp"
#include "regimen/curvature/fisher.hpp"
#include "regimen/curvature/gauss_newton.hpp"
#include "regimen/curvature/hessian.hpp"
#include "regimen/curvature/loss_surface.hpp"

namespace regimen::inline v0 {

/// The matrix that a measure of curvature looks at: `Hessian`, `GaussNewton`, `Fisher` or `EmpiricalFisher`.
enum class Curvature { hessian, gauss_newton, fisher, empirical_fisher };

/// Calls visit(operator) with the chosen operator on a surface, and returns its result.
///     const auto largest = regimen::with_curvature(regimen::Curvature::gauss_newton, surface,
///                                                  [](const auto& a) { return regimen::top(a).largest[0].value; });
template <class Visit>
decltype(auto) with_curvature(Curvature choice, const LossSurface& surface, const Visit& visit) {
  switch (choice) {
    case Curvature::hessian:
      return visit(Hessian(surface));
    case Curvature::gauss_newton:
      return visit(GaussNewton(surface));
    case Curvature::fisher:
      return visit(Fisher(surface));
    case Curvature::empirical_fisher:
      return visit(EmpiricalFisher(surface));
  }
  throw Error("this Curvature is none of the four");
}

}  // namespace regimen::inline v0
