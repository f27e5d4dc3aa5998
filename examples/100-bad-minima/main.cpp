// Bad global minima exist, and SGD can reach them: the experiment of Liu, Papailiopoulos and Achlioptas (NeurIPS 2020)
// on real images, in ten minutes on two CPU cores; with --paper, the authors' own.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "allocator.hpp"
#include "files.hpp"
#include "images.hpp"
#include "jobs.hpp"
#include "options.hpp"
#include "plan.hpp"
#include "results_folder.hpp"
#include "settings.hpp"
#include "toy.hpp"

volatile std::sig_atomic_t interrupted = 0;

namespace {

extern "C" void on_signal(int /*signal*/) {
  interrupted = 1;
}

void run(Settings settings, const Task& task) {
  if (task.list) {
    list_units(settings);
    return;
  }
  ResultsFolder folder(settings, task);
  if (settings.data == "toy") {
    folder.open(settings);
    run_toy(settings, task);
  } else if (task.collect) {
    const double factor = std::atof(read_file(settings.out + "/budget").c_str());
    if (factor > 0) {
      settings.recipe = shortened(settings.recipe, factor);
    }
    check_same_settings(settings.out + "/settings.json", text_of(settings));
    run_images(settings, task, {});
  } else {
    run_images(settings, task, [&](const Settings& settled) { folder.open(settled); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  keep_memory();
  Options options = read_options(argc, argv);
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  try {
    settle(options);
    run(options.settings, options.task);
  } catch (const Interrupted& stop) {
    std::fprintf(stderr, "\n%s\n", stop.what());
    return 130;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "\nbad_minima: %s\n", failure.what());
    return 1;
  }
  return 0;
}
