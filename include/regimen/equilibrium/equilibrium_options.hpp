#pragma once

#include <variant>

#include "regimen/equilibrium/anderson.hpp"
#include "regimen/equilibrium/conjugate_gradient.hpp"
#include "regimen/equilibrium/fixed_point.hpp"
#include "regimen/equilibrium/picard.hpp"

namespace regimen::inline v0 {

/// The gradient through T alone, applied once at the solution, as if the solution before it were a constant ("Jacobian-
/// free"): no backward solve. Poor unless T contracts fast: of the series w = v + J'v + J'J'v + ... it takes the first
/// term, and near a spectral radius of 1 that says little about the sum, its direction included.
struct OneStep {
  void check() const {}
};

/// How the linear system of a backward pass is solved. `ConjugateGradient` is for maps whose Jacobian is symmetric, as
/// that of a gradient step is; where I - J is not positive definite, Anderson's solver takes over.
using BackwardSolver = std::variant<Anderson, Picard, ConjugateGradient, OneStep>;

/// How `equilibrium` solves forwards and backwards.
struct EquilibriumOptions {
  FixedPointSolver forward = Anderson{};
  BackwardSolver backward = Anderson{};  ///< its `check_stability` is ignored: a linear system has one solution
  bool accept_failure = false;  ///< whether solves that do not succeed, or end at an unstable point, are used all the
                                ///< same, and left to the caller to look at in the reports; else they are an Error
};

}  // namespace regimen::inline v0
