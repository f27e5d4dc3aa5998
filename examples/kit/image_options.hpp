#pragma once

#include <CLI/CLI.hpp>

#include "networks.hpp"
#include "options.hpp"

namespace kit {

/// The options that all programs on images begin with: --data, --root, --device, --precision, --workers, --threads and
/// --out.
template <class Settings>
void add_data_and_machine(CLI::App& app, Settings& s) {
  add_data(app, s.data);
  add_machine(app, s.machine);
  app.add_option("--out", s.out, "folder of the results")->capture_default_str();
}

/// The options of `add_data_and_machine`, and those that most programs on images go on with: --model, --side, --seeds,
/// of which `seeds` says more, and --images.
template <class Settings>
void add_images(CLI::App& app, Settings& s, const char* seeds) {
  add_data_and_machine(app, s);
  app.add_option("--model", s.model)->check(CLI::IsMember(network_names()))->capture_default_str();
  const OptionGroup add{app};
  add("--side", s.data.side, at_least_0(), "pixels that images are shrunk to, 0: as they are");
  add("--seeds", s.seeds, at_least_1(), seeds);
  add("--images", s.images, at_least_1(), "that each network is trained on");
}

}  // namespace kit
