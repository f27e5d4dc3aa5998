#pragma once
// Moved: this path stays for who includes it.

#include "regimen/measure/prediction_changes.hpp"
