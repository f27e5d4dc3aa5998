#pragma once

#include <functional>

#include "settings.hpp"

/// Starts the results folder anew, or makes sure that what is there was made with the same settings.
using OpenResults = std::function<void(const Settings&)>;

/// The experiment on images: every unit of the plan, or the one that the task names. Trains, and unless it is one unit
/// of several, prints the tables and the answers, writes results and pictures.
void run_images(Settings settings, const Task& task, const OpenResults& open_results);

/// Prints the names of the plan's units, one a line: what --unit takes.
void list_units(const Settings& settings);
