#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "regimen/measure/concept.hpp"
#include "regimen/measure/distance.hpp"
#include "regimen/model/snapshot.hpp"
#include "regimen/model/weights.hpp"
#include "regimen/tensor/named.hpp"

namespace regimen::inline v0 {

/// The l2 distance of each parameter from its value in a snapshot of the same model, by the parameter's name, in
/// double. relative: over the norm in the snapshot, ||w - w_0|| / ||w_0||; infinite or NaN for a parameter that was all
/// zeros, as a bias often was. Each tensor once, under its first name. Throws Error if the two do not fit.
///     regimen::layer_distances(net, start).at("conv1.weight")
[[nodiscard]] inline Numbers layer_distances(const Weights& model, const Snapshot& from, bool relative = false) {
  Numbers distances;
  detail::with_snapshot(
      model, from, "layer_distances", [&](const at::Tensor& is, const at::Tensor& was, const Named& named) {
        const auto norm = [](const at::Tensor& w) { return std::sqrt(w.square().sum().item<double>()); };
        distances[named.name] = relative ? norm(is - was) / norm(was) : norm(is - was);
      });
  return distances;
}

/// The function `layer_distances` as a measure; the names of its numbers are those of the snapshot's parameters:
/// "distance_conv1.weight". Costs no pass. Deterministic. ReLU rescaling changes it, and the scale of the logits does,
/// by the last layer. No gradient.
///     scoring.measures["distance"] = regimen::LayerDistances{start};
struct LayerDistances {
  Snapshot start;
  bool relative = false;

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < start.parameters(); ++i) {
      all.push_back(start.tensors()[i].name);
    }
    return all;
  }

  Numbers operator()(const Weights& model) const { return layer_distances(model, start, relative); }
};

}  // namespace regimen::inline v0
