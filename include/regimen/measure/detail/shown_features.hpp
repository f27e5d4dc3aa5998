#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/evaluate/walk.hpp"
#include "regimen/model/model.hpp"
#include "regimen/model/tap.hpp"
#include "regimen/source/source.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0::detail {

/// Features of all samples of a source, with the samples' targets. They keep the network's type: it tells how far they
/// are rounded.
struct Features {
  at::Tensor feature;  ///< [n, d] floating, on the model's device
  at::Tensor target;   ///< [n, ...]; undefined for data without targets
};

/// The features of a network: the tensor number `which`, counted from 0, that it shows by `tap` in a forward pass, or
/// its outputs; one row a sample. Throws Error, in the name of `who`, if it does not show so many, or one that has no
/// row for each sample.
inline Features shown_features(const Model& model, const Source& data, const Evaluation& how,
                               const std::optional<Integer>& which, const std::string& who) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> feature;
  std::vector<at::Tensor> target;
  walk(model, data, how, who, [&](const Batch& batch) {
    const Taps taps;
    at::Tensor shown = how.execute.forward(model, batch);
    if (which) {
      const auto index = static_cast<std::size_t>(which->value);
      require(index < taps.tensors().size(), who + ".tap",
              "less than the number of tensors that the network shows by regimen::tap, " + text(taps.tensors().size()),
              index);
      shown = taps.tensors()[index];
    }
    if (shown.dim() < 1 || shown.size(0) != batch.size()) {
      throw Error(who + " takes features with a row for each of " + text(batch.size()) + " samples, not " +
                  described(shown));
    }
    const at::Tensor rows = shown.reshape({shown.size(0), -1});
    feature.push_back(rows.is_floating_point() ? rows : rows.to(at::kDouble));
    if (batch.target.defined()) {
      target.push_back(batch.target);
    }
  });
  return {at::cat(feature), target.empty() ? at::Tensor() : at::cat(target)};
}

/// Throws Error, in the name of `who`, unless these are features: [n, d] floating with n and d of at least 1.
inline void require_features(const at::Tensor& features, const std::string& who) {
  if (!features.defined() || features.dim() != 2 || features.numel() == 0 || !features.is_floating_point()) {
    throw Error(who + " takes features of [n, d], floating, with n and d of at least 1, not " + described(features));
  }
}

/// Whether all numbers are finite.
inline bool all_finite(const at::Tensor& tensor) {
  return tensor.isfinite().all().item<bool>();
}

}  // namespace regimen::inline v0::detail
