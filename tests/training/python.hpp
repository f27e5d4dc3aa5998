#pragma once
// Tests that compare with PyTorch itself: they need a Python that imports torch.

#include "training/helpers.hpp"

#include <torch/csrc/jit/serialization/pickle.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace training {

/// An interpreter that imports torch. Without one the test says that it is skipped, and fails where
/// REGIMEN_REQUIRE_PARITY=1 says that there must be one. REGIMEN_PYTHON names one to use.
inline std::optional<std::string> python_with_torch() {
  std::vector<std::string> candidates{"python3", "/usr/bin/python3"};
  if (const char* const named = std::getenv("REGIMEN_PYTHON")) {
    candidates = {named};
  }
  for (const std::string& python : candidates) {
    if (std::system(("'" + python + "' -c 'import torch' > /dev/null 2>&1").c_str()) == 0) {
      return python;
    }
  }
  const char* const required = std::getenv("REGIMEN_REQUIRE_PARITY");
  const std::string message = "SKIPPED: no Python with PyTorch was found (REGIMEN_PYTHON names one)";
  if (required != nullptr && std::string(required) == "1") {
    FAIL(message);
  }
  WARN(message);
  return std::nullopt;
}

/// Runs a script of this folder; whether it succeeded.
inline bool run_python(const std::string& python, const std::string& script,
                       const std::vector<std::string>& arguments) {
  std::string command = "'" + python + "' '" + (std::filesystem::path(__FILE__).parent_path() / script).string() + "'";
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

inline std::vector<double> numbers_in(const std::string& path) {
  std::ifstream file(path);
  std::vector<double> numbers;
  for (double number = 0; file >> number;) {
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace training
