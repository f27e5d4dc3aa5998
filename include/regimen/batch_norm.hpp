#pragma once
// Moved: this path stays for who includes it.

#include "regimen/evaluate/batch_norm.hpp"
#include "regimen/run/as_in_phase.hpp"
