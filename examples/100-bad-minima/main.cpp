// Bad global minima exist, and SGD can reach them: the experiment of Liu, Papailiopoulos and Achlioptas (NeurIPS 2020)
// on real images, in minutes on two CPU cores; with --paper, the authors' own.

#include "kit/main.hpp"
#include "images.hpp"
#include "options.hpp"
#include "toy.hpp"

namespace {

void run(Options& options) {
  settle(options);
  if (options.settings.data == "toy") {
    run_toy(options.settings, options.task);
  } else {
    run_images(options.settings, options.task);
  }
}

}  // namespace

int main(int argc, char** argv) {
  return kit::run_program("bad_minima", argc, argv, read_options, run);
}
