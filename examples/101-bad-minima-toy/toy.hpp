#pragma once

#include <CLI/CLI.hpp>

#include <regimen/experiment/task.hpp>

#include "100-bad-minima/settings.hpp"

/// The paper's toy: two clusters in the plane and a small network, from both starting points. Trains, prints the table,
/// writes results and the picture of the decision boundaries.
void run_toy(const Settings& settings, const regimen::experiment::Task& task);

/// Throws regimen::Error for an option that the toy does not have: its network, its data and its arms are given, and
/// its tensors are too small for a GPU and for bf16.
void check_toy_options(const CLI::App& app, const kit::Machine& machine);
