#pragma once
// No LibTorch.

#include <string>
#include <vector>

#include "groups.hpp"
#include "settings.hpp"

/// The tables that end the program, for a terminal, each with the answer in one sentence.
std::string report(const std::vector<Group>& groups, const Settings& settings);

/// results.csv (every arm and seed), summary.csv (the tables) and epochs.csv (every epoch of every arm).
void write_tables(const Results& results, const std::vector<Group>& groups, const Settings& settings);
