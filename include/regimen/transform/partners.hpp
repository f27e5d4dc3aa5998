#pragma once

#include "regimen/transform/partners/cutmix.hpp"
#include "regimen/transform/partners/mixup.hpp"
#include "regimen/transform/partners/open_set.hpp"
