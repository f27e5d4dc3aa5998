#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/searchsorted.h>

#include <cstdint>
#include <string>
#include <tuple>

#include "regimen/base/error.hpp"
#include "regimen/record/history.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/transform/concept.hpp"

namespace regimen::inline v0 {

/// Counts of a detector of corrupted labels: the samples that it flagged against those that are corrupted.
struct Detection {
  std::int64_t samples = 0;
  std::int64_t corrupted = 0;  ///< samples that are corrupted
  std::int64_t flagged = 0;    ///< samples that were flagged
  std::int64_t found = 0;      ///< corrupted samples that were flagged

  /// Precision, found / flagged, in [0, 1]; NaN if none was flagged.
  [[nodiscard]] double precision() const { return share(found, flagged); }

  /// Recall, found / corrupted, in [0, 1]; NaN if none is corrupted.
  [[nodiscard]] double recall() const { return share(found, corrupted); }

 private:
  static double share(std::int64_t part, std::int64_t all) {
    return all == 0 ? unknown : static_cast<double>(part) / static_cast<double>(all);
  }
};

namespace detail {

inline void require_mask(const at::Tensor& mask, const at::Tensor& like, const std::string& who) {
  if (!mask.defined() || mask.scalar_type() != at::kBool || mask.dim() != 1 || mask.sizes() != like.sizes()) {
    throw Error(who + " takes a mask of [n] bool, as long as what it is compared with, not " + described(mask));
  }
}

}  // namespace detail

/// Compares flagged with corrupted samples, both [n] bool in one order: `NoiseSplit::mask` has the order of its data,
/// as have the results of trackers of that source. Throws Error for other shapes.
///     regimen::detection(area.values() < 0, split_by_noise(noisy, train).mask).recall();
[[nodiscard]] inline Detection detection(const at::Tensor& flagged, const at::Tensor& corrupted) {
  detail::require_mask(flagged, flagged, "detection");
  detail::require_mask(corrupted, flagged, "detection");
  const at::Tensor here = flagged.to(corrupted.device());
  return {.samples = corrupted.numel(),
          .corrupted = corrupted.sum().item<std::int64_t>(),
          .flagged = here.sum().item<std::int64_t>(),
          .found = here.logical_and(corrupted).sum().item<std::int64_t>()};
}

/// The area under the ROC curve of a score for corrupted samples: the probability that a corrupted sample has a larger
/// score than another one, ties counted as half (the statistic of Mann and Whitney 1947). In [0, 1]: 1 is perfect, 0.5
/// chance; NaN without samples of both kinds. score [n] floating or integer, larger is more suspicious; corrupted [n]
/// bool, in one order. Throws Error for other shapes, and for scores that are NaN.
///     regimen::detection_area(-area.values(), split_by_noise(noisy, train).mask);
[[nodiscard]] inline double detection_area(const at::Tensor& score, const at::Tensor& corrupted) {
  detail::require_mask(corrupted, score, "detection_area");
  const at::Tensor all = score.to(corrupted.device(), at::kDouble);
  if (all.isnan().any().item<bool>()) {
    throw Error("detection_area takes scores that are numbers, but some are NaN: samples that were not seen?");
  }
  const at::Tensor suspects = all.index_select(0, corrupted.nonzero().flatten());
  const at::Tensor rest = all.index_select(0, corrupted.logical_not().nonzero().flatten());
  const auto pairs = static_cast<double>(suspects.numel()) * static_cast<double>(rest.numel());
  if (pairs == 0) {
    return unknown;
  }
  // The mean of two counts, those below and those not above: ties count as half.
  const at::Tensor sorted = std::get<0>(rest.sort());
  const at::Tensor below = at::searchsorted(sorted, suspects, /*out_int32=*/false, /*right=*/false);
  const at::Tensor not_above = at::searchsorted(sorted, suspects, /*out_int32=*/false, /*right=*/true);
  return (below + not_above).sum().item<double>() / 2 / pairs;
}

}  // namespace regimen::inline v0
