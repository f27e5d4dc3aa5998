#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "regimen/measure/paths.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/model/model.hpp"
#include "regimen/model/weights.hpp"
#include "regimen/tensor/autocast.hpp"
#include "regimen/tensor/real.hpp"

namespace regimen::inline v0 {

/// The l2 norm of all parameters together, each tensor counted once, summed in double; complex numbers count by their
/// moduli.
[[nodiscard]] inline double l2_norm(const Weights& model) {
  const at::NoGradGuard no_grad;
  double sum = 0;
  for (const at::Tensor& parameter : model.parameters()) {
    sum += detail::as_doubles(parameter).square().sum().item<double>();
  }
  return std::sqrt(sum);
}

/// The path norm: (sum over all paths from input to output of the product of |w|^p along the path)^(1/p)
/// (Neyshabur, Tomioka and Srebro 2015). One forward pass of an input of ones in eval mode with every weight w replaced
/// by |w|^p; BatchNorm is folded. It does not change when a ReLU unit's incoming weights grow and its outgoing ones
/// shrink by one factor, as the function does not.
///
/// sample_shape: the shape of one sample without the batch, {2} or {1, 28, 28}. p >= 1. epsilon in [0, 1): the number
/// that the model's BatchNorms add to a variance (LibTorch's default); they are found by the names of their buffers.
/// The model must be made of linear maps, ReLU and pooling; a convolution before BatchNorm should have no bias. Pooling
/// is run as it is: a mean over k numbers counts its share 1 / k once, which is the sum over paths for p = 1 (write it
/// as a convolution for another p), and a maximum takes the largest of its paths. The model is restored afterwards.
/// Throws Error for another p or epsilon, for complex weights, for BatchNorms that share weights and not statistics,
/// and for a model without parameters.
[[nodiscard]] inline double path_norm(const Model& model, at::IntArrayRef sample_shape, double p = 2,
                                      double epsilon = 1e-5) {
  detail::check_path_norm(p, epsilon, "path_norm: ");
  const detail::ModeGuard modes(model);
  const detail::Autocast in_full(model.device().type(), false);
  const at::NoGradGuard no_grad;
  model.train(false);
  const at::TensorOptions options = detail::options_of(model);
  const detail::PathWeights paths(model, p, epsilon);
  return std::pow(detail::sum_over_paths(model, sample_shape, options).item<double>(), 1 / p);
}

}  // namespace regimen::inline v0
