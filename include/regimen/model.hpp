#pragma once

/// A module of any kind: weights, modes, snapshots, activations in between.

#include "regimen/model/finite.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/model/listening.hpp"
#include "regimen/model/model.hpp"
#include "regimen/model/modules.hpp"
#include "regimen/model/parameter_names.hpp"
#include "regimen/model/selector.hpp"
#include "regimen/model/snapshot.hpp"
#include "regimen/model/tap.hpp"
#include "regimen/model/torch_errors.hpp"
#include "regimen/model/units.hpp"
#include "regimen/model/weights.hpp"
