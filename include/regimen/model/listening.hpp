#pragma once

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// Says for its lifetime that somebody listens to LibTorch's operations in this thread.
///
/// TorchScript fuses operations into kernels of its own, layers among them (with some builds of LibTorch on the
/// processor too), and a listener does not hear what such a kernel does. `Script` therefore runs a module's code as it
/// was written while somebody listens.
class Listening {
 public:
  Listening() { ++depth(); }
  ~Listening() { --depth(); }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  [[nodiscard]] static bool now() { return depth() > 0; }

 private:
  static int& depth() {
    thread_local int listeners = 0;
    return listeners;
  }
};

}  // namespace regimen::inline v0::detail
