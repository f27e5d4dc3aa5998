#pragma once

#include "regimen/transform/inputs/choice.hpp"
#include "regimen/transform/inputs/colour.hpp"
#include "regimen/transform/inputs/crop.hpp"
#include "regimen/transform/inputs/cutout.hpp"
#include "regimen/transform/inputs/data_only.hpp"
#include "regimen/transform/inputs/entries.hpp"
#include "regimen/transform/inputs/gaussian_noise.hpp"
#include "regimen/transform/inputs/moved.hpp"
#include "regimen/transform/inputs/normalize.hpp"
#include "regimen/transform/inputs/permutation.hpp"
#include "regimen/transform/inputs/symmetry.hpp"
#include "regimen/transform/inputs/values.hpp"
