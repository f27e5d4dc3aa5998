#pragma once

/// Several processes that train one network: who they are, and sums with the same bits for any number of them.

#include "regimen/share/active_share.hpp"
#include "regimen/share/alone.hpp"
#include "regimen/share/concept.hpp"
#include "regimen/share/data_parallel.hpp"
#include "regimen/share/launch.hpp"
#include "regimen/share/tree_sum.hpp"
