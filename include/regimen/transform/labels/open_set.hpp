#pragma once
// Moved: this path stays for who includes it.

#include "regimen/transform/partners/open_set.hpp"
