#pragma once
// No LibTorch.

#include <string>
#include <vector>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::experiment {

/// A process to run.
struct Command {
  std::string name;                ///< for messages
  std::string program;             ///< path, or a name that PATH finds
  std::vector<std::string> words;  ///< argv: the program's name, then the arguments
  std::string folder{};            ///< working folder; empty: this process's
};

/// The path by which a process starts its own program again, even if the file was rebuilt meanwhile.
inline const char* const this_program = "/proc/self/exe";

}  // namespace regimen::inline v0::experiment
