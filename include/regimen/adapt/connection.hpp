#pragma once
// No LibTorch.

#include <string>

#include "regimen/base/config.hpp"

namespace regimen::inline v0 {

/// How processes that share a run meet and talk; all optional.
struct Connection {
  /// A file in a folder that all processes see, where they meet if the launcher names no address.
  std::string file{};
  std::string backend = "gloo";  ///< "gloo", which copies the gradients of a GPU to the host, or "nccl" between GPUs
  double meet_seconds = 300;     ///< how long to wait for the other processes at the begin
  double seconds = 1800;         ///< how long to wait for an answer later, should a process hang
};

}  // namespace regimen::inline v0
