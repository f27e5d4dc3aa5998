#pragma once

/// TorchScript, torch::data, processes over c10d; not in regimen.hpp, for they cost as much to compile as all of it.

#include "regimen/adapt/c10d.hpp"
#include "regimen/adapt/connection.hpp"
#include "regimen/adapt/torch_data.hpp"
#include "regimen/adapt/torchscript.hpp"
