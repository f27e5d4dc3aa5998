#pragma once

#include <ATen/core/Tensor.h>

#include "regimen/detail/put_back.hpp"
#include "regimen/weights.hpp"

namespace regimen::inline v0::detail {

/// While it lives, the model's buffers are copies: a forward pass that is no step of training, in train mode, moves
/// BatchNorm's running statistics there and not in the model. The real ones come back when it goes, bit for bit, and
/// graphs that were made before or meanwhile can still be differentiated (writing to a buffer would forbid that).
class BufferGuard {
 public:
  explicit BufferGuard(const Weights& model) {
    for (const Named& named : model.named_buffers()) {
      const at::Tensor buffer = named.tensor;
      const at::Tensor data = buffer.detach();
      put_back_.add([buffer, data] { buffer.set_data(data); });
      buffer.set_data(data.clone());
    }
  }

 private:
  PutBack put_back_;
};

}  // namespace regimen::inline v0::detail
