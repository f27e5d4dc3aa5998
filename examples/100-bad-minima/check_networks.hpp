#pragma once

#include <cstdint>

#include "settings.hpp"

/// Throws regimen::Error for the first of the settings' networks that cannot take images of this side, in pixels. Draws
/// from LibTorch's global generator.
void check_networks(const Settings& settings, int classes, int channels, std::int64_t side);
