#pragma once
// Moved: this path stays for who includes it.

#include "regimen/key/generators.hpp"
