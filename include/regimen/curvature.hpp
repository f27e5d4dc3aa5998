#pragma once

/// Hessian, Gauss-Newton, Fisher and Gram matrices by their products with vectors; eigenvalues, traces, densities.

#include "regimen/curvature/density.hpp"
#include "regimen/curvature/fisher.hpp"
#include "regimen/curvature/gauss_newton.hpp"
#include "regimen/curvature/gram.hpp"
#include "regimen/curvature/hessian.hpp"
#include "regimen/curvature/jacobian.hpp"
#include "regimen/curvature/linear_operator.hpp"
#include "regimen/curvature/linearized.hpp"
#include "regimen/curvature/loss_surface.hpp"
#include "regimen/curvature/output_jacobian.hpp"
#include "regimen/curvature/spectrum_ends.hpp"
#include "regimen/curvature/top.hpp"
#include "regimen/curvature/trace.hpp"
