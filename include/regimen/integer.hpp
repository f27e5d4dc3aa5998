#pragma once
// Moved: this path stays for who includes it.

#include "regimen/base/integer.hpp"
