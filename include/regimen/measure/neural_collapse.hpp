#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/_unique2.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/linalg_svd.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/data_for.hpp"
#include "regimen/measure/detail/class_outputs.hpp"
#include "regimen/measure/detail/shown_features.hpp"
#include "regimen/source/source.hpp"
#include "regimen/tensor/rounding.hpp"

namespace regimen::inline v0 {

/// The variability collapse NC1 of features: tr(S_w S_b^+) / C, at least 0, and 0 if all samples of a class have one
/// feature up to directions in which classes do not differ (Papyan, Han and Donoho 2020). S_w is the covariance within
/// classes, the mean over samples of (h - m_c)(h - m_c)'; S_b that of the C class means m_c around their mean, each
/// class counted once; S_b^+ is its pseudo-inverse.
///
/// features [n, d] floating; labels [n] of an integer type, where each value that occurs is a class. Shifting, scaling
/// or rotating all features changes nothing. Computed in double without a matrix of [d, d]: O(n d C). Directions in
/// which the class means differ by rounding only are left out, at most C - 1 being there: those with a singular value
/// of at most max(C, d) e times the largest |h|, where e is the rounding of the features' own type, 1.2e-7 for float.
/// So give features in the type that they were computed in. NaN if all class means are equal, as with one class, or if
/// a feature is not finite. Throws Error for other shapes.
[[nodiscard]] inline double neural_collapse(const at::Tensor& features, const at::Tensor& labels) {
  detail::require_features(features, "neural_collapse");
  detail::require_labels(labels, features, "neural_collapse");
  const at::Tensor given = features.detach().to(at::kDouble);
  if (!detail::all_finite(given)) {
    return unknown;
  }
  const at::Tensor h = given - given.mean(0, /*keepdim=*/true);  // so that the sums below keep their digits
  const auto found = at::_unique2(labels.to(h.device()), /*sorted=*/true, /*return_inverse=*/true);
  const std::int64_t classes = std::get<0>(found).numel();
  const at::Tensor& index = std::get<1>(found);
  const at::Tensor count = at::bincount(index, {}, classes).to(at::kDouble);
  const at::Tensor mean = at::zeros({classes, h.size(1)}, h.options()).index_add(0, index, h) / count.unsqueeze(1);
  const at::Tensor within = h - mean.index_select(0, index);
  const at::Tensor between = mean - mean.mean(0, /*keepdim=*/true);
  const auto decomposed = at::linalg_svd(between, /*full_matrices=*/false);
  const at::Tensor& s = std::get<1>(decomposed);
  // What is left of means that are equal: rounding of the features as they were given.
  const double least = static_cast<double>(std::max(classes, h.size(1))) * detail::epsilon_of(features.scalar_type()) *
                       given.abs().max().item<double>();
  const std::int64_t rank = std::min(classes - 1, (s > least).sum().item<std::int64_t>());
  if (rank == 0) {
    return unknown;
  }
  // S_b = between' between / C, so S_b^+ has the eigenvalues C / s^2 and the C cancels.
  const at::Tensor directions = std::get<2>(decomposed).slice(0, 0, rank);
  const at::Tensor along = within.matmul(directions.t()) / s.slice(0, 0, rank);
  return along.square().sum(1).mean().item<double>();
}

/// The measure `neural_collapse` of a network's features: of the tensor number `tap` that it shows by `tap`, its other
/// dimensions flattened, or of its outputs.
///
/// Of the outputs it does not change when ReLU units are rescaled or the logits scaled; hidden features change with
/// rescaled units. Costs one forward pass and the memory of the features. Deterministic, but for the order in which a
/// GPU adds. Throws Error for a tap that the network does not show, and for data without labels of [n].
///     scoring.measures["nc1"] = regimen::NeuralCollapse{.tap = 0};
struct NeuralCollapse {
  std::optional<Source> data{};  ///< the phase's by default
  Evaluation how{};              ///< settings left at their defaults are the phase's; the loss is not used
  std::optional<Integer> tap{};  ///< number of the tensor shown by `tap`, from 0; the outputs by default

  void check() const { detail::require(!tap || *tap >= 0, "NeuralCollapse.tap", "at least 0", tap ? tap->value : 0); }

  double operator()(const Probe& probe) const {
    check();
    const Source source = detail::data_for(data, probe, "NeuralCollapse");
    const detail::Features shown =
        detail::shown_features(probe.model, source, detail::filled_in(how, probe.how), tap, "NeuralCollapse");
    return neural_collapse(shown.feature, shown.target);
  }
};

}  // namespace regimen::inline v0
