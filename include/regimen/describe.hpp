#pragma once
// Moved: this path stays for who includes it.

#include "regimen/run/run_manifest.hpp"
