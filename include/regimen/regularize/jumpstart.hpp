#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

#include <cstdint>
#include <string>
#include <vector>

#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/pass.hpp"
#include "regimen/schedule/bounds.hpp"

namespace regimen::inline v0 {

/// The slacks that `Jumpstart` takes.
enum class Slacks {
  both,
  units,   ///< of each unit: its maximum and minimum over all samples and positions
  points,  ///< of each sample: its maximum and minimum over all units and positions
};

[[nodiscard]] inline std::string name_of(Slacks slacks) {
  return slacks == Slacks::both ? "both" : slacks == Slacks::units ? "units" : "points";
}

/// The aggregation of all slacks to one number.
enum class Aggregation {
  norm,  ///< their l2 norm
  mean,
  sum,
};

[[nodiscard]] inline std::string name_of(Aggregation aggregation) {
  return aggregation == Aggregation::norm ? "norm" : aggregation == Aggregation::mean ? "mean" : "sum";
}

/// Keeps ReLU units and samples alive in thin and deep networks (Riera et al. 2022, "Jumpstart"): each unit of a layer
/// should be active for some sample and inactive for some, and each sample should find an active and an inactive unit,
/// by a margin of 1. For the pre-activations a of a unit or of a sample,
///     slack = balance * relu(1 - max a) + (1 - balance) * relu(1 + min a)
/// and the penalty is strength * the aggregate of the slacks of all layers. Entries that share the maximum share its
/// gradient. A balance other than 0.5 helps weights that begin at 0.
///
/// The layers are the tensors given to `tap`, before their ReLU: [N, units, ...]. The penalty is one of the whole
/// batch: on parts of it (`Phase::accumulate`) units have smaller maxima.
///     torch::Tensor forward(torch::Tensor x) { return last(torch::relu(regimen::tap(first(x)))); }
/// The authors use strengths of 0.001 and 0.1 with the norm, and 0.1 and 1 with the mean, for images.
/// Throws Error unless strength >= 0 and balance is in [0, 1], and if the pass has no taps.
struct Jumpstart {
  NotNegative<"Jumpstart.strength"> strength = 1e-3;
  Slacks slacks = Slacks::both;
  Aggregation aggregation = Aggregation::norm;
  Share<"Jumpstart.balance"> balance = 0.5;

  [[nodiscard]] at::Tensor penalty(const Pass& pass) const {
    if (pass.taps.empty()) {
      throw Error("Jumpstart looks at pre-activations and finds no taps: write regimen::tap(layer(x)) in forward");
    }
    const at::Tensor share = pass.now.tensor(balance);
    std::vector<at::Tensor> all;
    for (const at::Tensor& tap : pass.taps) {
      detail::require(tap.dim() >= 2, "Jumpstart: the dimensions of a tap", "at least 2, [N, units, ...]", tap.dim());
      const at::Tensor a = tap.scalar_type() == at::kDouble ? tap : tap.to(at::kFloat);
      if (slacks != Slacks::points) {
        all.push_back(slack(a, /*of=*/1, share));
      }
      if (slacks != Slacks::units) {
        all.push_back(slack(a, /*of=*/0, share));
      }
    }
    return aggregate(at::cat(all)) * pass.now.tensor(strength);
  }

 private:
  /// The slacks of the units (of = 1) or samples (of = 0), [a.size(of)].
  static at::Tensor slack(const at::Tensor& a, std::int64_t of, const at::Tensor& share) {
    std::vector<std::int64_t> others;
    for (std::int64_t d = 0; d < a.dim(); ++d) {
      if (d != of) {
        others.push_back(d);
      }
    }
    return (1 - a.amax(others)).relu() * share + (1 + a.amin(others)).relu() * (1 - share);
  }

  [[nodiscard]] at::Tensor aggregate(const at::Tensor& all) const {
    switch (aggregation) {
      case Aggregation::mean:
        return all.mean();
      case Aggregation::sum:
        return all.sum();
      default:
        return all.norm();
    }
  }
};

}  // namespace regimen::inline v0
