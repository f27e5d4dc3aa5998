#pragma once
// No LibTorch.

#include "settings.hpp"

/// Whether settled settings are those of the default experiment, wherever it is trained, by whatever processors and
/// with whatever first seed.
bool is_default(const Settings& settings);

/// Throws regimen::Error for options that do not go together.
void check_together(const Settings& settings, const Task& task);

/// Workers, and threads of each, where the options leave them open. `here`: processors of this machine.
void settle_processors(Settings& settings, bool one_process, int here);
