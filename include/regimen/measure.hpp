#pragma once

/// What kind of minimum: norms, distances, accuracy on a part, changed predictions.

#include "regimen/measure/concept.hpp"
#include "regimen/measure/data_for.hpp"
#include "regimen/measure/disagreement.hpp"
#include "regimen/measure/distance.hpp"
#include "regimen/measure/feature_rank.hpp"
#include "regimen/measure/label_memorization.hpp"
#include "regimen/measure/likelihood_ratio_attack.hpp"
#include "regimen/measure/membership.hpp"
#include "regimen/measure/membership_signals.hpp"
#include "regimen/measure/neural_collapse.hpp"
#include "regimen/measure/norms.hpp"
#include "regimen/measure/on_part.hpp"
#include "regimen/measure/paths.hpp"
#include "regimen/measure/prediction_changes.hpp"
#include "regimen/measure/reference_signals.hpp"
#include "regimen/measure/relative_attack.hpp"
