#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

#include "regimen/base/integer.hpp"
#include "regimen/execute/execution.hpp"
#include "regimen/loss/concept.hpp"
#include "regimen/model/model.hpp"
#include "regimen/source/source.hpp"
#include "regimen/transform/concept.hpp"
#include "regimen/transform/in_turn.hpp"

namespace regimen::inline v0 {

/// Settings of `evaluate`, all optional.
struct Evaluation {
  AnyLoss loss{};                          ///< CrossEntropy by default
  std::vector<AnyTransform> preprocess{};  ///< applied to every batch, in order: normalization
  // Not `{}`: for that g++ 12 warns at -O3 of a string that is not initialized, in the code of users.
  Execution execute = Execution();
  Integer batch = 128;  ///< samples per batch, at least 1; changes only speed and memory, unless the network mixes
                        ///< samples in eval mode too, as BatchNorm without running statistics does
  Moment now{};         ///< the moment for sources whose damage follows a schedule
};

namespace detail {

/// The settings with defaults replaced by those of `other`. (To have no preprocessing although `other` has some, use
/// `chain()`.)
inline Evaluation filled_in(Evaluation own, const Evaluation& other) {
  const Evaluation defaults;
  own.loss = own.loss.is_given() ? own.loss : other.loss;
  own.preprocess = own.preprocess.empty() ? other.preprocess : own.preprocess;
  own.execute = own.execute == defaults.execute ? other.execute : own.execute;
  own.batch = own.batch == defaults.batch ? other.batch : own.batch;
  own.now = own.now.history == nullptr && own.now.clock == Clock{} ? other.now : own.now;
  return own;
}

/// The input of the network: the batch on the model's device, preprocessed.
inline Batch prepared(const Batch& batch, const std::vector<AnyTransform>& preprocess, const at::Device& device,
                      const Moment& now) {
  const Batch moved = to(batch, device);
  return preprocess.empty() ? moved : in_turn(preprocess, preprocess.size(), moved, Key(0, moved.id, now));
}

}  // namespace detail

}  // namespace regimen::inline v0
