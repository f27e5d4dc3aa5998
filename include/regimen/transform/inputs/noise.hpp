#pragma once
// Moved: this path stays for who includes it.

#include "regimen/transform/inputs/gaussian_noise.hpp"
