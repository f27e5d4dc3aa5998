#pragma once

#include <variant>

#include "regimen/equilibrium/anderson.hpp"
#include "regimen/equilibrium/conjugate_gradient.hpp"
#include "regimen/equilibrium/fixed_point.hpp"
#include "regimen/equilibrium/picard.hpp"

namespace regimen::inline v0 {

/// The gradient through T alone, applied once at the solution, as if the solution before it were a constant: no
/// backward solve. Poor where the spectral radius is near 1: for a trained regularizer of ELDER's kind its cosine with
/// the true gradient was measured to be .21, for an untrained one .93.
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
