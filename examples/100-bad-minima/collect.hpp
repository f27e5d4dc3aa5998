#pragma once

#include "groups.hpp"
#include "settings.hpp"

/// The finished trainings in the results folder.
Results collect(const Settings& settings);
