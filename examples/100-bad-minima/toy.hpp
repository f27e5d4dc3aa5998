#pragma once

#include "settings.hpp"

/// The paper's toy: two clusters in the plane and a small network, from both starting points. Trains, prints the table,
/// writes results and the picture of the decision boundaries.
void run_toy(const Settings& settings, const Task& task);
