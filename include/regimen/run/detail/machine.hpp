#pragma once
// No LibTorch.

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "regimen/base/config.hpp"

/// What the machine is, as far as Linux tells.
namespace regimen::inline v0::detail {

/// "AMD EPYC 7B13"; empty where the system does not say.
inline std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) == 0) {
      const auto colon = line.find(": ");
      return colon == std::string::npos ? "" : line.substr(colon + 2);
    }
  }
  return "";
}

/// The libraries of linear algebra that are loaded into the process, by their paths: which BLAS it is decides the last
/// bits of every product. Empty where the system does not say, or LibTorch holds its own.
inline std::vector<std::string> loaded_blas() {
  std::vector<std::string> found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const auto path = line.find('/');
    if (path == std::string::npos) {
      continue;
    }
    const std::string library = line.substr(path);
    const std::string name = library.substr(library.rfind('/') + 1);
    const bool is_blas = name.find("blas") != std::string::npos || name.find("mkl") != std::string::npos;
    if (is_blas && std::find(found.begin(), found.end(), library) == found.end()) {
      found.push_back(library);
    }
  }
  return found;
}

}  // namespace regimen::inline v0::detail
