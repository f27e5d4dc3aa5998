#pragma once

/// All of a run in a file, and back.

#include "regimen/checkpoint/checkpoint.hpp"
#include "regimen/checkpoint/save.hpp"
