// Bad global minima exist, and SGD can reach them: the experiment of Liu, Papailiopoulos and Achlioptas (NeurIPS 2020)
// on real images, in minutes on two CPU cores; with --paper, the authors' own.

#include <csignal>
#include <cstdio>
#include <exception>

#include "allocator.hpp"
#include "images.hpp"
#include "jobs.hpp"
#include "options.hpp"
#include "results_folder.hpp"
#include "settings.hpp"
#include "toy.hpp"

volatile std::sig_atomic_t interrupted = 0;

namespace {

extern "C" void on_signal(int /*signal*/) {
  interrupted = 1;
}

void run(const Settings& settings, const Task& task) {
  if (task.list) {
    list_units(settings);
    return;
  }
  if (task.pace) {
    measure_pace(settings);
    return;
  }
  if (settings.data != "toy") {
    run_images(settings, task);
    return;
  }
  ResultsFolder folder(settings, task);
  folder.open(settings, {});
  run_toy(settings, task);
  folder.note_complete(true);
}

}  // namespace

int main(int argc, char** argv) {
  keep_memory();
  Options options;
  try {
    options = read_options(argc, argv);
    if (!options.task.pace) {  // which has nothing to save: a signal may end it at once
      std::signal(SIGINT, on_signal);
      std::signal(SIGTERM, on_signal);
    }
    settle(options);
    run(options.settings, options.task);
  } catch (const Interrupted& stop) {
    std::fprintf(stderr, "\n%s\n", stop.what());
    return 130;
  } catch (const std::exception& failure) {
    // A worker's message is printed by the process that started it.
    std::fprintf(stderr, "%s%s\n", options.task.worker ? "" : "\nbad_minima: ", failure.what());
    return 1;
  }
  return 0;
}
