#pragma once
// Moved: this path stays for who includes it.

#include "regimen/track/average.hpp"
