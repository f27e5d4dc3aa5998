#pragma once

#include "kit/main.hpp"
#include "settings.hpp"

using Options = kit::Options<Settings>;

/// Reads the command line. Ends the program for --help and for what it does not understand.
Options read_options(int argc, char** argv);

/// Turns every "auto" into what this machine has, and says so. Throws regimen::Error for options that do not go
/// together.
void settle(Options& options);
