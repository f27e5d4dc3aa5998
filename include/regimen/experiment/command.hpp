#pragma once
// No LibTorch.

#include <string>
#include <vector>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::experiment {

/// A process to run.
struct Command {
  std::string name;                ///< for messages
  std::string program;             ///< its path, or a name that PATH finds
  std::vector<std::string> words;  ///< its arguments, of which the first is the name that it goes by
  std::string folder{};            ///< that it works in; empty: this process's
};

/// The path by which a process runs its own program once more, also where that was rebuilt meanwhile.
inline const char* const this_program = "/proc/self/exe";

}  // namespace regimen::inline v0::experiment
