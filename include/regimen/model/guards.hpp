#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "regimen/base/put_back.hpp"
#include "regimen/model/weights.hpp"
#include "regimen/tensor/autocast.hpp"
#include "regimen/tensor/named.hpp"

/// Guards that restore a model in their destructor, also after an exception.
namespace regimen::inline v0::detail {

/// Replaces the model's buffers by copies for the guard's lifetime: a forward pass in train mode that is not part of
/// training changes BatchNorm's running statistics in the copies. The destructor restores the originals bit for bit,
/// and graphs made before or meanwhile can still be differentiated (which writing to a buffer would prevent).
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

/// A guard around forward passes outside of training: it restores the train or eval mode of each module, and clears
/// autocast's cache of cast weights.
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

/// Freezes parameters for the guard's lifetime: those with a name in the list or in a layer of such a name.
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

/// Adds by[i] to parameters[i] for the guard's lifetime; the destructor restores them bit for bit. The writes are
/// hidden from autograd, so graphs made before can be differentiated afterwards.
class Moved {
 public:
  Moved(const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& by) {
    const at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const at::Tensor& parameter = parameters[i];
      put_back_.add([parameter, own = parameter.detach().clone()] {
        const at::NoGradGuard without_graph;
        parameter.variable_data().copy_(own);
      });
      parameter.variable_data().add_(by[i]);
    }
  }

 private:
  FreshCasts casts_;
  PutBack put_back_;
};

}  // namespace regimen::inline v0::detail
