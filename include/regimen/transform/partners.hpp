#pragma once

#include "regimen/transform/partners/mix.hpp"
#include "regimen/transform/partners/open_set.hpp"
