#pragma once
// Moved: this path stays for who includes it.

#include "regimen/observe/log.hpp"
