#pragma once
// Moved: this path stays for who includes it.

#include "regimen/damage/by_class.hpp"
#include "regimen/damage/split_by_noise.hpp"
#include "regimen/measure/on_part.hpp"
#include "regimen/track/part_gaps.hpp"
