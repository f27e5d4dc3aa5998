#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include <cstdint>
#include <string>
#include <vector>

#include "regimen/batch/batch.hpp"
#include "regimen/evaluate/evaluate.hpp"
#include "regimen/evaluate/walk.hpp"
#include "regimen/model/model.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

/// The outputs of a network for all samples of a source, in the source's order.
struct Outputs {
  at::Tensor output;  ///< [n, ...] on the model's device
  at::Tensor target;  ///< [n, ...] on the model's device, after `preprocess`; undefined for data without targets
  at::Tensor id;      ///< [n] int64
};

/// Runs the network on a source in eval mode and without gradients; its modes are restored. Costs one forward pass and
/// the memory of all outputs. `how.loss` is not used. Throws Error for an empty or endless source, and, with types and
/// shapes, if LibTorch throws.
///     const at::Tensor logits = regimen::outputs(net, test, {.preprocess = {normalize}}).output;
[[nodiscard]] inline Outputs outputs(const Model& model, const Source& source, const Evaluation& how = {}) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> output;
  std::vector<at::Tensor> target;
  std::vector<at::Tensor> id;
  detail::walk(model, source, how, "outputs", [&](const Batch& batch) {
    output.push_back(how.execute.forward(model, batch));
    id.push_back(batch.id);
    if (batch.target.defined()) {
      target.push_back(batch.target);
    }
  });
  return {at::cat(output), target.empty() ? at::Tensor() : at::cat(target), at::cat(id)};
}

}  // namespace regimen::inline v0
