#pragma once

#include "settings.hpp"

/// Does with the experiment on images what the task says. Unless it is one unit of several, prints the tables and the
/// answers, writes results and pictures.
void run_images(const Settings& settings, const Task& task);
