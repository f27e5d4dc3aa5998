#pragma once

#include "data.hpp"
#include "settings.hpp"

/// Draws some images of the first confusion set under the undamaged ones.
void show_tiles(const Images& images, const Settings& settings);
