#pragma once
// A Python that imports torch, for the tests that compare with PyTorch itself. Behind Catch2; needs no LibTorch.

#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

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

inline std::vector<double> numbers_in(const std::string& path) {
  std::ifstream file(path);
  std::vector<double> numbers;
  for (double number = 0; file >> number;) {
    numbers.push_back(number);
  }
  return numbers;
}
