#pragma once

/// Data: in memory, streams, views of them, read ahead.

#include "regimen/source/columns.hpp"
#include "regimen/source/concatenated.hpp"
#include "regimen/source/concept.hpp"
#include "regimen/source/in_memory.hpp"
#include "regimen/source/prefetch.hpp"
#include "regimen/source/require_finite.hpp"
#include "regimen/source/source.hpp"
#include "regimen/source/split.hpp"
#include "regimen/source/stacked.hpp"
#include "regimen/source/views.hpp"
