#pragma once
// Moved: this path stays for who includes it.

#include "regimen/transform/partners/cutmix.hpp"
#include "regimen/transform/partners/mixup.hpp"
