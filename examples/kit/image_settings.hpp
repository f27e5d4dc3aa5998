#pragma once
// No LibTorch. Data and machine, which programs on images have among their settings, and the text of settings.json.

#include <cstdint>
#include <string>

#include <regimen/experiment/settings_file.hpp>

namespace kit {

/// A data set by its name, where it lies, and the size of its images.
struct DataOptions {
  std::string name = "fashion-mnist";  ///< one of `data_names`
  std::string root{};                  ///< folder of its files; empty: where Debian puts Fashion-MNIST
  std::int64_t side = 0;               ///< width and height that images are shrunk to, in pixels; 0: as they are
};

/// The device and the processes that train.
struct Machine {
  std::string device = "auto";     ///< auto, cpu or cuda
  std::string precision = "auto";  ///< auto, fp32 or bf16
  int workers = 0;                 ///< processes side by side; 0: one a processor, on a GPU one
  int threads = 0;                 ///< of each; 0: one, or as many as the program says
};

/// How many images a data set has.
struct ImageCounts {
  std::int64_t train = 0;
  std::int64_t test = 0;
};

/// The text of settings.json for settings with `data`, `machine` and `out`, without what no result depends on: machines
/// that share a folder may have other paths and processors.
template <class Settings>
std::string text_of_settings(Settings settings) {
  settings.out.clear();
  settings.data.root.clear();
  settings.machine.workers = 0;
  settings.machine.threads = 0;  // a sum's rounding depends on them, and nothing else
  return regimen::experiment::settings_text(settings);
}

}  // namespace kit
