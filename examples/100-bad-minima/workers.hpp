#pragma once
// No LibTorch.

#include <functional>
#include <string>
#include <vector>

/// A process to run.
struct Command {
  std::string name;                ///< for messages
  std::string program;             ///< its path, or a name that PATH finds
  std::vector<std::string> words;  ///< its arguments, of which the first is the name that it goes by
  std::string folder{};            ///< that it works in; empty: this process's
};

/// The path by which a process runs its own program once more, also where that was rebuilt meanwhile.
inline const char* const this_program = "/proc/self/exe";

/// How whoever runs processes follows them. Every field may be left out.
struct Overseer {
  std::function<void(const std::string& name)> started{};
  std::function<void(const std::string& name, const std::string& line)> heard{};  ///< each line that one prints
  /// What one that succeeded wrote to stderr; without a function it is printed there.
  std::function<void(const std::string& name, const std::string& errors)> complained{};
  std::function<void()> waiting{};  ///< about five times a second, and after every line
  std::function<bool()> stop{};     ///< asked as often: whether all are to end
};

/// Runs the commands as processes, in their order, at most `at_once` of them at a time. Returns true when all have
/// ended with status 0, and false if `stop` said so: then each was sent SIGTERM, and has ended.
/// A process that dies of the signal that made `stop` say so is none that has failed: Ctrl-C reaches both.
///
/// Throws regimen::Error for the first that fails, with its name and what it wrote to stderr, after the others were
/// sent SIGTERM and have ended. No process is left behind: an exception of the overseer kills them, and on Linux the
/// death of this process does too.
///     run_side_by_side({{"one", "/bin/echo", {"echo", "1"}}, {"two", "/bin/echo", {"echo", "2"}}}, 2, {.heard =
///     print});
bool run_side_by_side(const std::vector<Command>& commands, int at_once, const Overseer& overseer = {});
