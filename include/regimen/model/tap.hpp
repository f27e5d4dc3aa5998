#pragma once

#include <ATen/core/Tensor.h>

#include <utility>
#include <vector>

#include "regimen/base/config.hpp"

namespace regimen::inline v0 {

/// A recorder of the tensors that this thread gives to `tap` during its lifetime. Only the innermost one records. `run`
/// makes one for each forward pass of a phase with regularizers, and passes the tensors on as `Pass::taps`.
class Taps {
 public:
  Taps() : outer_(std::exchange(current(), this)) {}
  ~Taps() { current() = outer_; }
  Taps(const Taps&) = delete;
  Taps& operator=(const Taps&) = delete;

  [[nodiscard]] const std::vector<at::Tensor>& tensors() const { return tensors_; }

 private:
  friend at::Tensor tap(at::Tensor tensor);

  static Taps*& current() {
    thread_local Taps* innermost = nullptr;
    return innermost;
  }

  Taps* outer_;
  std::vector<at::Tensor> tensors_;
};

/// Shows a tensor in the middle of a forward pass to the current `Taps`, and returns it unchanged. LibTorch's C++
/// modules have no forward hooks; `tap` takes their part, at the line that it observes.
///     torch::Tensor forward(torch::Tensor x) { return last(torch::relu(regimen::tap(first(x)))); }
inline at::Tensor tap(at::Tensor tensor) {
  if (Taps::current() != nullptr) {
    Taps::current()->tensors_.push_back(tensor);
  }
  return tensor;
}

}  // namespace regimen::inline v0
