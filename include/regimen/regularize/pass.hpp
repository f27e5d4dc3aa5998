#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "regimen/batch/batch.hpp"
#include "regimen/key/moment.hpp"
#include "regimen/model/model.hpp"
#include "regimen/tensor/named.hpp"

namespace regimen::inline v0 {

/// What a regularizer may look at. In a loop of your own, fill in what yours needs: `L2` only the parameters.
///     loss = loss + l2.penalty({.parameters = net->parameters()});
struct Pass {
  DistinctTensors parameters{};  ///< those that are trained, each once
  Batch batch{};                 ///< as the network was shown it
  at::Tensor output{};
  std::vector<at::Tensor> taps{};  ///< what `tap` saw in the forward pass, in order
  Moment now{};
  const Model* model = nullptr;  ///< for those that run the network again
  /// For gradient hooks: computes the gradients anew, at the weights as they are then, of the same batches and
  /// penalties with the same random numbers. Undefined elsewhere. Buffers move as in any forward pass.
  std::function<void()> recompute_gradients{};
  int evaluation = 0;  ///< how often this step's objective was evaluated before: above 0 only in LBFGS and its like

  [[deprecated("it is called recompute_gradients")]] void again() const { recompute_gradients(); }
};

}  // namespace regimen::inline v0
