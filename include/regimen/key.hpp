#pragma once

/// Randomness as a function of (seed, sample, moment); LibTorch's generators.

#include "regimen/key/generator_guard.hpp"
#include "regimen/key/generators.hpp"
#include "regimen/key/key.hpp"
#include "regimen/key/moment.hpp"
#include "regimen/key/order.hpp"
#include "regimen/key/salts.hpp"
#include "regimen/key/slots.hpp"
