#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "regimen/base/put_back.hpp"
#include "regimen/model/weights.hpp"
#include "regimen/tensor/autocast.hpp"
#include "regimen/tensor/named.hpp"

/// What puts a model back as it was, also when an exception takes the guard.
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

/// Around a model's passes aside: puts the modes of its parts back when it goes, also when an exception takes it, and
/// leaves no cast of its weights to an autocast around it.
class ModeGuard {
 public:
  explicit ModeGuard(const Weights& model) : restore_(model.keep_modes()) {}
  ~ModeGuard() { restore_(); }
  ModeGuard(const ModeGuard&) = delete;
  ModeGuard& operator=(const ModeGuard&) = delete;

 private:
  FreshCasts casts_;
  std::function<void()> restore_;
};

/// Takes parameters out of training for a phase: those that go by a name in the list, or are in a layer that does.
class FreezeGuard {
 public:
  FreezeGuard(const Weights& model, const std::vector<std::string>& names) {
    for (const Named& named : model.named_parameters()) {
      const at::Tensor tensor = named.tensor;
      if (named.matches(names) && tensor.requires_grad()) {
        tensor.set_requires_grad(false);
        put_back_.add([tensor] { tensor.set_requires_grad(true); });
      }
    }
  }

 private:
  PutBack put_back_;
};

}  // namespace regimen::inline v0::detail
