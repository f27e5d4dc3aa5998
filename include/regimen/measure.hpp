#pragma once

/// What kind of minimum: norms, distances, accuracy on a part, changed predictions.

#include "regimen/measure/concept.hpp"
#include "regimen/measure/curvature_choice.hpp"
#include "regimen/measure/data_for.hpp"
#include "regimen/measure/distance.hpp"
#include "regimen/measure/fisher_trace.hpp"
#include "regimen/measure/gradient_noise_scale.hpp"
#include "regimen/measure/hessian_trace.hpp"
#include "regimen/measure/kernel_alignment.hpp"
#include "regimen/measure/negative_curvature.hpp"
#include "regimen/measure/norms.hpp"
#include "regimen/measure/on_part.hpp"
#include "regimen/measure/paths.hpp"
#include "regimen/measure/prediction_changes.hpp"
#include "regimen/measure/relative_flatness.hpp"
#include "regimen/measure/soft_rank.hpp"
#include "regimen/measure/takeuchi.hpp"
#include "regimen/measure/tangent_kernel.hpp"
#include "regimen/measure/temperature.hpp"
#include "regimen/measure/top_eigenvalue.hpp"
