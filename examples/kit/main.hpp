#pragma once

#include <cstdio>
#include <exception>
#include <optional>

#include <regimen/base/error.hpp>
#include <regimen/experiment/errors.hpp>
#include <regimen/experiment/exit_status.hpp>
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
/// task's stop. Returns the exit status: 0, or that of `exit_status_of`: 2 for an error of the command line, too. An
/// error's message is printed with the program's name, by a worker without it: the process that started it adds its
/// own.
///     int main(int argc, char** argv) { return kit::run_program("corruption", argc, argv, read_options, run); }
template <class Options>
int run_program(const char* name, int argc, char** argv, Options (*read)(int, char**), void (*run)(Options&)) {
  keep_memory();
  Options options;
  std::optional<regimen::experiment::StopSignals> signals;
  try {
    try {
      options = read(argc, argv);
    } catch (const regimen::Error& failure) {
      throw regimen::experiment::UsageError(failure.what());
    }
    if (!options.task.pace) {  // which has nothing to save: a signal may end it at once
      options.task.stop = signals.emplace().token();
    }
    run(options);
  } catch (const std::exception& failure) {
    const bool stopped = dynamic_cast<const regimen::experiment::Interrupted*>(&failure) != nullptr;
    if (options.task.worker) {
      std::fprintf(stderr, "%s\n", failure.what());
    } else if (stopped) {
      std::fprintf(stderr, "\n%s\n", options.task.unit.empty() ? failure.what() : "stopped; the same command goes on");
    } else {
      std::fprintf(stderr, "\n%s: %s\n", name, failure.what());
    }
    return regimen::experiment::exit_status_of(failure, options.task);
  }
  return 0;
}

}  // namespace kit
