#pragma once

#include "settings.hpp"

/// The experiment on images: every unit of the plan, or the one that the task names, or the results of those that are
/// complete. Unless it is one unit of several, prints the tables and the answers, writes results and pictures.
void run_images(const Settings& settings, const Task& task);

/// Prints the names of the plan's units, one a line: what --unit takes.
void list_units(const Settings& settings);

/// Measures how fast a worker trains, and tells its parent process.
void measure_pace(const Settings& settings, const Task& task);
