#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <concepts>
#include <functional>
#include <string>
#include <vector>

#include "regimen/detail/path_norm.hpp"
#include "regimen/model.hpp"
#include "regimen/snapshot.hpp"

namespace regimen::inline v0 {

/// What kind of minimum is this? Takes a model, gives a number; reads and changes nothing.
///     splits.measures = {{"l2_norm", regimen::l2_norm}, {"distance", regimen::DistanceFrom{start}}};
template <class M>
concept Measure = requires(const M& measure, const Model& model) {
  { measure(model) } -> std::convertible_to<double>;
};

/// Any measure.
using AnyMeasure = std::function<double(const Model&)>;

/// The l2 norm of all parameters together, summed in double.
[[nodiscard]] inline double l2_norm(const Model& model) {
  const at::NoGradGuard no_grad;
  double sum = 0;
  for (const at::Tensor& parameter : model.parameters()) {
    sum += parameter.to(at::kDouble).square().sum().item<double>();
  }
  return std::sqrt(sum);
}

/// The l2 distance of all parameters from where they were in a snapshot of the same model, in double.
/// Throws Error where the two do not fit.
[[nodiscard]] inline double distance(const Model& model, const Snapshot& from) {
  const at::NoGradGuard no_grad;
  const auto parameters = model.named_parameters();
  const auto& kept = from.tensors();
  double sum = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (i >= kept.size() || kept[i].name != parameters[i].name ||
        kept[i].tensor.sizes() != parameters[i].tensor.sizes()) {
      throw Error("distance: the model's " + parameters[i].name + " does not fit the snapshot");
    }
    const at::Tensor moved = parameters[i].tensor.to(at::kDouble) - kept[i].tensor.to(at::kDouble);
    sum += moved.square().sum().item<double>();
  }
  return std::sqrt(sum);
}

/// `distance` as a measure for `Splits::measures`.
struct DistanceFrom {
  Snapshot start;

  double operator()(const Model& model) const { return distance(model, start); }
};

/// The path norm: (sum over all paths from input to output of the product of |w|^p along the path)^(1/p)
/// (Neyshabur, Tomioka and Srebro 2015). One forward pass of an input of ones in eval mode with every weight w replaced
/// by |w|^p; BatchNorm is folded. It does not change when a ReLU unit's incoming weights grow and its outgoing ones
/// shrink by one factor, as the function does not.
///
/// sample_shape: of one sample without the batch, {2} or {1, 28, 28}. p >= 1. The model must be made of linear maps,
/// ReLU and pooling; a convolution before BatchNorm should have no bias. All is put back afterwards.
[[nodiscard]] inline double path_norm(const Model& model, at::IntArrayRef sample_shape, double p = 2) {
  detail::require(p >= 1, "path_norm: p", "at least 1", p);
  const detail::ModeGuard modes(model);
  const at::NoGradGuard no_grad;
  model.train(false);
  const at::TensorOptions options = detail::options_of(model);
  const detail::PathWeights paths(model, p);
  return std::pow(detail::sum_over_paths(model, sample_shape, options).item<double>(), 1 / p);
}

}  // namespace regimen::inline v0
