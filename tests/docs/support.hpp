#pragma once
// What the code blocks of the documentation find when they are run; see extract.py.

#include "support/python.hpp"

#include <regimen/regimen.hpp>

#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

// A page shows what it is about: a name may hide a member of Setup, or be there to be looked at only.
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wunused-variable"

namespace docs {

/// Images [n, 1, 8, 8] of ten kinds, as many of each: a bright spot in the kind's place, and noise.
inline regimen::Batch images(std::int64_t n, std::uint64_t seed) {
  const at::Tensor id = torch::arange(n);
  const at::Tensor kind = id.remainder(10);
  const at::Tensor noise = regimen::Key(seed, id).uniform({64});
  return {.data = noise.scatter(1, (6 * kind).unsqueeze(1), 3.0).view({n, 1, 8, 8}), .target = kind, .id = id};
}

inline torch::nn::Sequential network() {
  torch::manual_seed(1);
  return torch::nn::Sequential(torch::nn::Flatten(), torch::nn::Linear(64, 32), torch::nn::ReLU(),
                               torch::nn::Linear(32, 10));
}

/// The names that a block may use without declaring them.
struct Setup {
  const regimen::Source train = images(60, 1);
  const regimen::Source test = images(40, 2);
  torch::nn::Sequential net = network();
  torch::optim::SGD sgd{net->parameters(), torch::optim::SGDOptions(0.1)};
};

/// Makes build/tests/docs/work/<page> anew, under the folder that the program was started in, and works there.
inline void enter_folder_of(const std::string& page) {
  static const std::filesystem::path start = std::filesystem::current_path();
  const std::filesystem::path folder = start / "work" / page;
  // Not std::filesystem::remove_all: see CONTRIBUTING.md.
  REQUIRE(std::system(("rm -rf '" + folder.string() + "'").c_str()) == 0);
  std::filesystem::create_directories(folder);
  std::filesystem::current_path(folder);
}

/// What the regimen::Error says that the block throws.
template <class Block>
std::string error_of(Block&& block) {
  try {
    block();
  } catch (const regimen::Error& error) {
    return error.what();
  }
  return "(no error)";
}

inline const std::optional<std::string>& python() {
  static const std::optional<std::string> found = training::python_with_torch();
  return found;
}

inline bool has_python() {
  return python().has_value();
}

inline void run_python(const std::string& script) {
  if (has_python()) {
    REQUIRE(std::system(("'" + *python() + "' '" + script + "'").c_str()) == 0);
  }
}

}  // namespace docs
