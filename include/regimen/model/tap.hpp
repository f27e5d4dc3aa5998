#pragma once

#include <ATen/core/Tensor.h>

#include <utility>
#include <vector>

#include "regimen/base/config.hpp"

namespace regimen::inline v0 {

/// Records what `tap` sees while it lives, in this thread. The innermost one records; `run` opens one around each
/// forward pass of a phase with regularizers and hands the tensors on as `Pass::taps`.
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

/// Shows a tensor in the middle of a forward pass to whoever records, and gives it back unchanged. LibTorch's C++
/// modules have no forward hooks; this is the place of one, written where it acts.
///     torch::Tensor forward(torch::Tensor x) { return last(torch::relu(regimen::tap(first(x)))); }
inline at::Tensor tap(at::Tensor tensor) {
  if (Taps::current() != nullptr) {
    Taps::current()->tensors_.push_back(tensor);
  }
  return tensor;
}

}  // namespace regimen::inline v0
