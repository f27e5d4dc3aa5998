#pragma once
// Moved: this path stays for who includes it.

#include "regimen/damage/dealt_labels.hpp"
