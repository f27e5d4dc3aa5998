#pragma once
// Moved: this path stays for who includes it.

#include "regimen/adapt/torch_data.hpp"
#include "regimen/source.hpp"
#include "regimen/transform.hpp"
