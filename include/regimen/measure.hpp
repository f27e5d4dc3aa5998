#pragma once

/// What kind of minimum: norms, distances, accuracy on a part, changed predictions.

#include "regimen/measure/average_sharpness.hpp"
#include "regimen/measure/barrier.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/data_for.hpp"
#include "regimen/measure/distance.hpp"
#include "regimen/measure/fisher_rao.hpp"
#include "regimen/measure/norms.hpp"
#include "regimen/measure/on_part.hpp"
#include "regimen/measure/pac_bayes.hpp"
#include "regimen/measure/paths.hpp"
#include "regimen/measure/prediction_changes.hpp"
#include "regimen/measure/worst_sharpness.hpp"
