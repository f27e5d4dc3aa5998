// Bad global minima exist, and SGD can reach them: the experiment of Liu, Papailiopoulos and Achlioptas (NeurIPS 2020)
// on real images, in minutes on two CPU cores; with --paper, the authors' own.

#include <cstdio>
#include <exception>
#include <optional>

#include <regimen/experiment/signals.hpp>

#include "allocator.hpp"
#include "images.hpp"
#include "options.hpp"
#include "settings.hpp"
#include "toy.hpp"

namespace {

void run(const Settings& settings, const Task& task) {
  if (settings.data == "toy") {
    run_toy(settings, task);
  } else {
    run_images(settings, task);
  }
}

}  // namespace

int main(int argc, char** argv) {
  keep_memory();
  Options options;
  std::optional<regimen::experiment::StopSignals> signals;
  try {
    options = read_options(argc, argv);
    if (!options.task.pace) {  // which has nothing to save: a signal may end it at once
      options.task.stop = signals.emplace().token();
    }
    settle(options);
    run(options.settings, options.task);
  } catch (const regimen::experiment::Interrupted& stop) {
    std::fprintf(stderr, "\n%s\n", stop.what());
    return 130;
  } catch (const std::exception& failure) {
    // A worker's message is printed by the process that started it.
    std::fprintf(stderr, "%s%s\n", options.task.worker ? "" : "\nbad_minima: ", failure.what());
    return 1;
  }
  return 0;
}
