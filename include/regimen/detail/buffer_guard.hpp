#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "regimen/weights.hpp"

namespace regimen::inline v0::detail {

/// While it lives, the model's buffers are copies: a forward pass that is no step of training, in train mode, moves
/// BatchNorm's running statistics there and not in the model. The real ones come back when it goes, bit for bit, and
/// graphs that were made before or meanwhile can still be differentiated (writing to a buffer would forbid that).
class BufferGuard {
 public:
  explicit BufferGuard(const Weights& model) {
    for (const Named& named : model.named_buffers()) {
      at::Tensor buffer = named.tensor;
      kept_.push_back({buffer, buffer.detach()});
      buffer.set_data(buffer.detach().clone());
    }
  }
  ~BufferGuard() {
    for (auto kept = kept_.rbegin(); kept != kept_.rend(); ++kept) {
      kept->buffer.set_data(kept->data);
    }
  }
  BufferGuard(const BufferGuard&) = delete;
  BufferGuard& operator=(const BufferGuard&) = delete;

 private:
  struct Kept {
    at::Tensor buffer;
    at::Tensor data;
  };

  std::vector<Kept> kept_;
};

}  // namespace regimen::inline v0::detail
