#pragma once
// No LibTorch.

#include <string>

#include "regimen/base/error.hpp"

namespace regimen::inline v0 {

/// How processes that share a run meet and talk; all optional.
struct Connection {
  /// A file in a folder that all processes see, where they meet if the launcher names no address.
  std::string file{};
  /// "gloo": between CPUs; gradients of a GPU are copied to the host. "nccl": between GPUs. "store": through a server
  /// of process 0, for a LibTorch without Gloo's headers, as PyPI's; a process that is killed on another machine is
  /// noticed by the launcher only, or after `seconds`. Empty: Gloo where this program has it, else the store.
  std::string backend{};
  double meet_seconds = 300;  ///< how long to wait for the other processes at the begin
  double seconds = 1800;      ///< how long to wait for an answer later, should a process hang

  void check() const {
    if (!backend.empty() && backend != "gloo" && backend != "nccl" && backend != "store") {
      throw Error("Connection.backend must be \"gloo\", \"nccl\" or \"store\", but is \"" + backend + "\"");
    }
    detail::require(meet_seconds > 0, "Connection.meet_seconds", "above 0", meet_seconds);
    detail::require(seconds > 0, "Connection.seconds", "above 0", seconds);
  }
};

}  // namespace regimen::inline v0
