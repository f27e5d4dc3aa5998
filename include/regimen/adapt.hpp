#pragma once

/// TorchScript and torch::data; not in regimen.hpp, for they cost as much to compile as all of it.

#include "regimen/adapt/torch_data.hpp"
#include "regimen/adapt/torchscript.hpp"
