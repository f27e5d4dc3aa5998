#pragma once

#include "regimen/transform/labels/checks.hpp"
#include "regimen/transform/labels/class_map.hpp"
#include "regimen/transform/labels/instance.hpp"
#include "regimen/transform/labels/matrix.hpp"
#include "regimen/transform/labels/pair_flip.hpp"
#include "regimen/transform/labels/random_matrix.hpp"
#include "regimen/transform/labels/regression.hpp"
#include "regimen/transform/labels/soft.hpp"
#include "regimen/transform/labels/uniform.hpp"
