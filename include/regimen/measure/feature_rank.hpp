#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_svdvals.h>

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/data_for.hpp"
#include "regimen/measure/detail/class_outputs.hpp"
#include "regimen/measure/detail/shown_features.hpp"
#include "regimen/source/source.hpp"
#include "regimen/statistics/effective_rank.hpp"
#include "regimen/tensor/rounding.hpp"

namespace regimen::inline v0 {

/// The eigenvalues of the covariance of data or features, by falling size: min(n, d) values, all others being 0.
/// features [n, d], floating; the covariance is the mean over samples, (X - mean)'(X - mean) / n, or X'X / n if not
/// `centred`. Computed in double from the singular values of X, which loses no digits to squares. Values that are
/// rounding count as 0: those of singular values of at most sqrt(n d) e times the largest |x|, where e is the rounding
/// of the features' own type, 1.2e-7 for float. Takes O(n d min(n, d)). Throws Error for other shapes and for numbers
/// that are not finite.
///     regimen::squared_effective_rank(regimen::covariance_spectrum(images.flatten(1)), 10);
[[nodiscard]] inline std::vector<double> covariance_spectrum(const at::Tensor& features, bool centred = true) {
  detail::require_features(features, "covariance_spectrum");
  if (!detail::all_finite(features)) {
    throw Error("covariance_spectrum takes features that are finite");
  }
  const at::Tensor x = features.detach().to(at::kDouble);
  const at::Tensor apart = x - x.select(0, 0);  // exactly 0 for rows that are equal, whose mean may be rounded
  const at::Tensor s = at::linalg_svdvals(centred ? apart - apart.mean(0, /*keepdim=*/true) : x);
  const double rounding = std::sqrt(static_cast<double>(x.numel())) * detail::epsilon_of(features.scalar_type()) *
                          x.abs().max().item<double>();
  return detail::doubles_of(s.square().masked_fill(s <= rounding, 0) / static_cast<double>(x.size(0)));
}

/// A measure of how many directions a network's features take: ranks of their covariance over the data. Gives
/// "effective_rank" r_0 and "squared_effective_rank" R_0 (Bartlett et al. 2020) and "entropy_rank" (Roy and Vetterli
/// 2007), each in [1, min(n, d)]; NaN for features that are all equal or not finite.
///
/// The features are the tensor number `tap` that the network shows by `tap`, as [n, d] with its other dimensions
/// flattened, or the network's outputs. None of the numbers changes when all features are scaled or rotated. Those of
/// the outputs do not change when ReLU units are rescaled; those of hidden features do. Costs one forward pass, the
/// memory of the features and one singular value decomposition of them. Deterministic. Throws Error for a tap that the
/// network does not show.
///     scoring.measures["rank"] = regimen::FeatureRank{.tap = 0};  // "rank_effective_rank", ...
struct FeatureRank {
  std::optional<Source> data{};  ///< the phase's by default
  Evaluation how{};              ///< settings left at their defaults are the phase's; the loss is not used
  std::optional<Integer> tap{};  ///< number of the tensor shown by `tap`, from 0; the outputs by default

  void check() const { detail::require(!tap || *tap >= 0, "FeatureRank.tap", "at least 0", tap ? tap->value : 0); }

  [[nodiscard]] std::vector<std::string> names() const {
    return {"effective_rank", "squared_effective_rank", "entropy_rank"};
  }

  Numbers operator()(const Probe& probe) const {
    check();
    const Source source = detail::data_for(data, probe, "FeatureRank");
    const at::Tensor features =
        detail::shown_features(probe.model, source, detail::filled_in(how, probe.how), tap, "FeatureRank").feature;
    if (!detail::all_finite(features)) {
      return {{"effective_rank", unknown}, {"squared_effective_rank", unknown}, {"entropy_rank", unknown}};
    }
    const std::vector<double> spectrum = covariance_spectrum(features);
    return {{"effective_rank", effective_rank(spectrum)},
            {"squared_effective_rank", squared_effective_rank(spectrum)},
            {"entropy_rank", entropy_rank(spectrum)}};
  }
};

}  // namespace regimen::inline v0
