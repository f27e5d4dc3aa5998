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

/// How well some samples that were flagged are those whose labels are corrupted.
struct Detection {
  std::int64_t samples = 0;
  std::int64_t corrupted = 0;  ///< that are
  std::int64_t flagged = 0;    ///< that were taken for it
  std::int64_t found = 0;      ///< both

  /// found / flagged, in [0, 1]; NaN if none was flagged.
  [[nodiscard]] double precision() const { return share(found, flagged); }

  /// found / corrupted, in [0, 1]; NaN if there are none.
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

/// Counts what was flagged against what is corrupted, both [n] bool, in one order: `NoiseSplit::mask` is in that of
/// its data, as are the results of trackers of the same source. Throws Error for other shapes.
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

/// How well a score tells corrupted samples from the others, whatever the threshold: the probability that a corrupted
/// one has the larger score than another, a tie counted as half. This is the area under the ROC curve, by the statistic
/// of Mann and Whitney (1947). In [0, 1]: 1 is perfect, one half is chance; NaN without samples of both kinds.
/// score [n] floating or integer, larger is more suspicious, and corrupted [n] bool, in one order.
/// Throws Error for other shapes, and for scores that are NaN.
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
  // Those below, and those not above: half of the two is those below and half of the ties.
  const at::Tensor sorted = std::get<0>(rest.sort());
  const at::Tensor below = at::searchsorted(sorted, suspects, /*out_int32=*/false, /*right=*/false);
  const at::Tensor not_above = at::searchsorted(sorted, suspects, /*out_int32=*/false, /*right=*/true);
  return (below + not_above).sum().item<double>() / 2 / pairs;
}

}  // namespace regimen::inline v0
