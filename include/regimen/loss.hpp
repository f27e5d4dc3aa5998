#pragma once

/// Cross-entropy, squared errors, any function or module.

#include "regimen/loss/concept.hpp"
#include "regimen/loss/count.hpp"
#include "regimen/loss/cross_entropy.hpp"
#include "regimen/loss/member_samples.hpp"
#include "regimen/loss/module.hpp"
#include "regimen/loss/module_manifest.hpp"
#include "regimen/loss/over_members.hpp"
#include "regimen/loss/over_own_targets.hpp"
#include "regimen/loss/pointwise.hpp"
#include "regimen/loss/predicted.hpp"
#include "regimen/loss/summed.hpp"
