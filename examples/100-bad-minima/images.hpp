#pragma once

#include "settings.hpp"

/// The experiment on images: both starting points, vanilla and regularized, for every seed. Trains, prints the table
/// and the answer, writes results and pictures.
void run_images(const Settings& settings);
