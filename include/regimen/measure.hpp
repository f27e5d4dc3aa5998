#pragma once

/// What kind of minimum: norms, distances, accuracy on a part, changed predictions.

#include "regimen/measure/concept.hpp"
#include "regimen/measure/data_for.hpp"
#include "regimen/measure/distance.hpp"
#include "regimen/measure/input_jacobian.hpp"
#include "regimen/measure/layer_distances.hpp"
#include "regimen/measure/layer_map.hpp"
#include "regimen/measure/layer_maps.hpp"
#include "regimen/measure/margins.hpp"
#include "regimen/measure/norm_products.hpp"
#include "regimen/measure/norm_summary.hpp"
#include "regimen/measure/norms.hpp"
#include "regimen/measure/on_part.hpp"
#include "regimen/measure/paths.hpp"
#include "regimen/measure/prediction_changes.hpp"
#include "regimen/measure/singular_value.hpp"
#include "regimen/measure/spectral_norms.hpp"
