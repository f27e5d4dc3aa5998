#pragma once
// Tests that compare with PyTorch itself: they need a Python that imports torch.

#include "support/training.hpp"

#include "support/interpreter.hpp"

#include <torch/csrc/jit/serialization/pickle.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace training {

using ::numbers_in;
using ::python_with_torch;

/// Runs a script, "run/steps.py" of tests/; whether it succeeded.
inline bool run_python(const std::string& python, const std::string& script,
                       const std::vector<std::string>& arguments) {
  std::string command =
      "'" + python + "' '" + (std::filesystem::path(__FILE__).parent_path().parent_path() / script).string() + "'";
  for (const std::string& argument : arguments) {
    command += " '" + argument + "'";
  }
  return std::system(command.c_str()) == 0;
}

/// Writes tensors as torch.load reads them: a list.
inline void write_tensors(const std::string& path, const std::vector<at::Tensor>& tensors) {
  const std::vector<char> pickled = torch::jit::pickle_save(c10::IValue(tensors));
  std::ofstream(path, std::ios::binary).write(pickled.data(), static_cast<std::streamsize>(pickled.size()));
}

}  // namespace training
