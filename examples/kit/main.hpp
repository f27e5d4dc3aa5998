#pragma once

#include <cstdio>
#include <exception>
#include <optional>

#include <regimen/experiment/signals.hpp>
#include <regimen/experiment/task.hpp>

#include "memory.hpp"

namespace kit {

/// The command line of a program: settings, on which results depend, and the task.
template <class Settings>
struct Options {
  Settings settings{};
  regimen::experiment::Task task{};
};

/// Runs a program: reads its options, which hold a `task`, and does what they say, with SIGINT and SIGTERM as the
/// task's stop. Returns the exit status: 0; 130 if it was stopped, everything on disk; 1 for an error, whose message is
/// printed with the program's name, by a worker without it: the process that started it adds its own.
///     int main(int argc, char** argv) { return kit::run_program("corruption", argc, argv, read_options, run); }
template <class Options>
int run_program(const char* name, int argc, char** argv, Options (*read)(int, char**), void (*run)(Options&)) {
  keep_memory();
  Options options;
  std::optional<regimen::experiment::StopSignals> signals;
  try {
    options = read(argc, argv);
    if (!options.task.pace) {  // which has nothing to save: a signal may end it at once
      options.task.stop = signals.emplace().token();
    }
    run(options);
  } catch (const regimen::experiment::Interrupted& stop) {
    std::fprintf(stderr, "\n%s\n", stop.what());
    return 130;
  } catch (const std::exception& failure) {
    if (options.task.worker) {
      std::fprintf(stderr, "%s\n", failure.what());
    } else {
      std::fprintf(stderr, "\n%s: %s\n", name, failure.what());
    }
    return 1;
  }
  return 0;
}

}  // namespace kit
