#pragma once
// No LibTorch.

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "regimen/base/config.hpp"

/// Facts about the machine, as far as Linux tells them.
namespace regimen::inline v0::detail {

/// The name of the processor, "AMD EPYC 7B13"; empty if unknown.
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

/// The paths of the linear algebra libraries that are loaded into the process: the BLAS decides the last bits of every
/// product. Empty if unknown, or if LibTorch contains its own.
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
