#pragma once

#include <ATen/record_function.h>

#include <utility>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// Listens to LibTorch's operations in this thread for its lifetime, by the callback that it is given.
///
/// TorchScript fuses operations into kernels of its own, layers among them (with some builds of LibTorch on the
/// processor too), and a listener does not hear what such a kernel does. `Script` therefore runs a module's code as it
/// was written while somebody listens.
class Listening {
 public:
  explicit Listening(at::RecordFunctionCallback callback) : handle_(at::addThreadLocalCallback(std::move(callback))) {
    ++depth();
  }
  ~Listening() {
    --depth();
    at::removeCallback(handle_);
  }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  /// Whether somebody listens in this thread.
  [[nodiscard]] static bool now() { return depth() > 0; }

 private:
  static int& depth() {
    thread_local int listeners = 0;
    return listeners;
  }

  at::CallbackHandle handle_;
};

}  // namespace regimen::inline v0::detail
