#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <vector>

#include "regimen/model.hpp"

namespace regimen::inline v0::detail {

/// Puts a model's buffers back when it goes, bit for bit: BatchNorm's running statistics among them, which move with
/// every forward pass in train mode.
class BufferGuard {
 public:
  explicit BufferGuard(const Model& model) {
    for (const Named& named : model.named_buffers()) {
      kept_.push_back({named.tensor, named.tensor.detach().clone()});
    }
  }

  ~BufferGuard() {
    const at::NoGradGuard no_grad;
    for (Kept& kept : kept_) {
      kept.buffer.copy_(kept.value);
    }
  }

  BufferGuard(const BufferGuard&) = delete;
  BufferGuard& operator=(const BufferGuard&) = delete;

 private:
  struct Kept {
    at::Tensor buffer;
    at::Tensor value;
  };

  std::vector<Kept> kept_;
};

}  // namespace regimen::inline v0::detail
