#pragma once

/// X = T(x): solvers, the gradient through a solution, proximal steps.

#include "regimen/equilibrium/anderson.hpp"
#include "regimen/equilibrium/blur_term.hpp"
#include "regimen/equilibrium/concept.hpp"
#include "regimen/equilibrium/conjugate_gradient.hpp"
#include "regimen/equilibrium/equilibrium_options.hpp"
#include "regimen/equilibrium/fixed_point.hpp"
#include "regimen/equilibrium/implicit_gradient.hpp"
#include "regimen/equilibrium/mask_term.hpp"
#include "regimen/equilibrium/matrix_term.hpp"
#include "regimen/equilibrium/picard.hpp"
#include "regimen/equilibrium/proximal_descent.hpp"
#include "regimen/equilibrium/proximal_point.hpp"
#include "regimen/equilibrium/proximal_step.hpp"
#include "regimen/equilibrium/solve_report.hpp"
#include "regimen/equilibrium/spectral_radius.hpp"
