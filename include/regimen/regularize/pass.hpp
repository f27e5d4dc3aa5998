#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "regimen/batch/batch.hpp"
#include "regimen/key/moment.hpp"
#include "regimen/model/model.hpp"
#include "regimen/tensor/named.hpp"

namespace regimen::inline v0 {

/// The things that a regularizer may look at. In a loop of your own set those that yours needs: `L2` only the
/// parameters.
///     loss = loss + l2.penalty({.parameters = net->parameters()});
struct Pass {
  DistinctTensors parameters{};  ///< the trained parameters, each once
  Batch batch{};                 ///< the batch as the network saw it
  at::Tensor output{};
  std::vector<at::Tensor> taps{};  ///< tensors that `tap` was given in the forward pass, in order
  Moment now{};
  const Model* model = nullptr;  ///< for regularizers that run the network again
  /// For gradient hooks: computes the gradients anew at the current weights, for the same batches and penalties with
  /// the same random numbers. Undefined elsewhere. Buffers change as in any forward pass.
  std::function<void()> recompute_gradients{};
  int evaluation = 0;  ///< number of earlier evaluations in this step: above 0 only in LBFGS and the like

  [[deprecated("it is called recompute_gradients")]] void again() const { recompute_gradients(); }
};

}  // namespace regimen::inline v0
