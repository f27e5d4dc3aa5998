#pragma once

#include "kit/data.hpp"
#include "settings.hpp"

/// Draws some images of the first confusion set under the undamaged ones.
void show_tiles(const kit::Images& images, const Settings& settings);
