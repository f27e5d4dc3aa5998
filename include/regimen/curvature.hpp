#pragma once

/// Hessian, Gauss-Newton, Fisher and Gram matrices by their products with vectors; eigenvalues, traces, densities.

#include "regimen/curvature/loss_surface.hpp"
