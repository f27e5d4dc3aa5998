#pragma once
// A Python that imports torch or another module, for the tests that compare with it. Behind Catch2; needs no LibTorch.

#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

/// An interpreter that imports a module. Without one the test says that it is skipped, and fails where the variable
/// `required` of the environment is 1. REGIMEN_PYTHON names one to use.
inline std::optional<std::string> python_with(const std::string& module, const std::string& named,
                                              const char* required) {
  std::vector<std::string> candidates{"python3", "/usr/bin/python3"};
  if (const char* const python = std::getenv("REGIMEN_PYTHON")) {
    candidates = {python};
  }
  for (const std::string& python : candidates) {
    if (std::system(("'" + python + "' -c 'import " + module + "' > /dev/null 2>&1").c_str()) == 0) {
      return python;
    }
  }
  const char* const value = std::getenv(required);
  const std::string message = "SKIPPED: no Python with " + named + " was found (REGIMEN_PYTHON names one)";
  if (value != nullptr && std::string(value) == "1") {
    FAIL(message);
  }
  WARN(message);
  return std::nullopt;
}

/// An interpreter that imports torch; REGIMEN_REQUIRE_PARITY=1 says that there must be one.
inline std::optional<std::string> python_with_torch() {
  return python_with("torch", "PyTorch", "REGIMEN_REQUIRE_PARITY");
}

inline std::vector<double> numbers_in(const std::string& path) {
  std::ifstream file(path);
  std::vector<double> numbers;
  for (double number = 0; file >> number;) {
    numbers.push_back(number);
  }
  return numbers;
}
