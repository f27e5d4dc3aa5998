#pragma once
// Moved: this path stays for who includes it.

#include "regimen/regularize/decoupled_decay.hpp"
