#pragma once

/// Penalties, and what is done to gradients and weights between steps.

#include "regimen/regularize/clip.hpp"
#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/confidence.hpp"
#include "regimen/regularize/decoupled_decay.hpp"
#include "regimen/regularize/finite_gradients.hpp"
#include "regimen/regularize/gradient_noise.hpp"
#include "regimen/regularize/jacobian_norm.hpp"
#include "regimen/regularize/jumpstart.hpp"
#include "regimen/regularize/l2_sp.hpp"
#include "regimen/regularize/learned_potential.hpp"
#include "regimen/regularize/max_norm.hpp"
#include "regimen/regularize/on.hpp"
#include "regimen/regularize/pass.hpp"
#include "regimen/regularize/path_norm.hpp"
#include "regimen/regularize/penalties.hpp"
#include "regimen/regularize/sam.hpp"
#include "regimen/regularize/spectral_norm.hpp"
