// Bad global minima exist, and SGD can reach them: the experiment of Liu, Papailiopoulos and Achlioptas (NeurIPS 2020)
// on real images, in ten minutes on two CPU cores; with --paper, the authors' own.

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>

#include <regimen/lock.hpp>
#include <regimen/manifest.hpp>

#include "allocator.hpp"
#include "files.hpp"
#include "images.hpp"
#include "jobs.hpp"
#include "options.hpp"
#include "settings.hpp"
#include "toy.hpp"

volatile std::sig_atomic_t interrupted = 0;

namespace {

extern "C" void on_signal(int /*signal*/) {
  interrupted = 1;
}

/// Makes sure that what is in the results folder was made with the same settings.
void check_same_settings(const std::string& path, const std::string& settings) {
  const std::string before = read_file(path);
  if (before != settings) {
    throw regimen::Error(path + " was written with other settings:\n" + before + "now:\n" + settings);
  }
}

/// Starts the results folder anew, or goes on with what is there.
void open_results(const Settings& settings, const Task& task) {
  namespace fs = std::filesystem;
  const std::string text = regimen::manifest(settings) + "\n";
  const std::string path = settings.out + "/settings.json";
  if ((task.resume || !task.unit.empty()) && fs::exists(path)) {
    check_same_settings(path, text);
    return;
  }
  if (task.unit.empty()) {
    // Nothing of an earlier run stays: its table beside other settings would be read as theirs.
    for (const char* old : {"settings.json", "budget", "checkpoints", "manifests", "epochs", "seconds", "pictures",
                            "results.csv", "summary.csv", "epochs.csv", "toy.csv", "table.txt", "manifest.json"}) {
      fs::remove_all(settings.out + "/" + old);
    }
  }
  fs::create_directories(settings.out);
  write_file(path, text);
}

void run(const Settings& settings, const Task& task) {
  if (task.list) {
    list_units(settings);
    return;
  }
  // Processes that train a unit each share the folder, and hold their units; whoever may clear it holds it alone.
  std::optional<regimen::Lock> mine;
  if (task.unit.empty()) {
    mine.emplace(settings.out + "/lock");
  }
  if (settings.data == "toy") {
    open_results(settings, task);
    run_toy(settings, task);
  } else if (task.collect) {
    check_same_settings(settings.out + "/settings.json", regimen::manifest(settings) + "\n");
    run_images(settings, task, {});
  } else {
    run_images(settings, task, [&](const Settings& settled) { open_results(settled, task); });
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
