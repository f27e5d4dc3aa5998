#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/model/units.hpp"
#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/pass.hpp"
#include "regimen/schedule/bounds.hpp"
#include "regimen/tensor/sum_of_finite.hpp"

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
  balanced,  ///< the mean over the units plus the mean over the samples, so that many samples do not outweigh few units
};

[[nodiscard]] inline std::string name_of(Aggregation aggregation) {
  static constexpr const char* texts[] = {"norm", "mean", "sum", "balanced"};
  return texts[static_cast<std::size_t>(aggregation)];
}

/// Keeps ReLU units and samples alive in thin and deep networks (Riera et al. 2022, "Jumpstart"): each unit of a layer
/// should be active for some sample and inactive for some, and each sample should find an active and an inactive unit,
/// by a margin of 1. For the pre-activations a of a unit or of a sample,
///     slack = balance * relu(1 - max a) + (1 - balance) * relu(1 + min a)
/// and the penalty is strength * the aggregate of the slacks of all layers. Positions, then samples or units, that
/// share the maximum share its gradient. A balance other than 0.5 helps weights that begin at 0.
///
/// The layers are the tensors given to `tap`, before their ReLU: [N, units, ...]. For an ensemble of `members` equal
/// networks in one module (`networks::StackedLinear`) they are [N, members, units, ...], and the penalty is the sum of
/// those of the members; one whose penalty is not finite is left out, as by `OverMembers`. The penalty is one of the
/// whole batch: on parts of it (`Phase::accumulate`) units have smaller maxima.
///     torch::Tensor forward(torch::Tensor x) { return last(torch::relu(regimen::tap(first(x)))); }
/// The authors use strengths of 0.001 and 0.1 with the norm, and 0.1 and 1 with the mean, for images; `balanced` is the
/// form of their second paper (2025). docs/results/jumpstart.md has what each reaches.
/// Throws Error unless strength >= 0, balance is in [0, 1] and members >= 1, and if the pass has no taps.
struct Jumpstart {
  NotNegative<"Jumpstart.strength"> strength = 1e-3;
  Slacks slacks = Slacks::both;
  Aggregation aggregation = Aggregation::norm;
  Share<"Jumpstart.balance"> balance = 0.5;
  std::optional<Integer> members{};  ///< number of the ensemble's networks, at least 1; not set: no ensemble

  [[nodiscard]] at::Tensor penalty(const Pass& pass) const {
    detail::require(!members || *members >= 1, "Jumpstart.members", "at least 1", members ? members->value : 1);
    if (pass.taps.empty()) {
      throw Error("Jumpstart looks at pre-activations and finds no taps: write regimen::tap(layer(x)) in forward");
    }
    const at::Tensor share = pass.now.tensor(balance);
    std::vector<at::Tensor> of_units, of_points;  // each [members, ...]
    for (const Layers& layers : stacked(pass.taps)) {
      if (slacks != Slacks::points) {
        of_units.push_back(slack(layers, /*over=*/1, share).transpose(0, 1).flatten(1));
      }
      if (slacks != Slacks::units) {
        of_points.push_back(slack(layers, /*over=*/3, share).permute({2, 0, 1}).flatten(1));
      }
    }
    return aggregate(of_units, of_points) * pass.now.tensor(strength);
  }

 private:
  /// Maxima and minima over the positions: of a layer [N, members, units], of several [L, N, members, units].
  struct Layers {
    at::Tensor highest, lowest;
  };

  /// Small layers of one shape that follow each other are put together: in deep and thin networks each operation costs
  /// more than its numbers. Copies of large ones would cost more than they save.
  [[nodiscard]] std::vector<Layers> stacked(const std::vector<at::Tensor>& taps) const {
    constexpr std::int64_t small = 1 << 15;
    std::vector<std::vector<Layers>> groups;
    for (const at::Tensor& tap : taps) {
      const Layers layer = over_positions(tap);
      const bool joins = !groups.empty() && layer.highest.numel() <= small &&
                         layer.highest.sizes() == groups.back().front().highest.sizes() &&
                         layer.highest.scalar_type() == groups.back().front().highest.scalar_type();
      if (!joins) {
        groups.emplace_back();
      }
      groups.back().push_back(layer);
    }
    std::vector<Layers> all;
    for (const std::vector<Layers>& group : groups) {
      all.push_back(together(group));
    }
    return all;
  }

  static Layers together(const std::vector<Layers>& group) {
    std::vector<at::Tensor> highest, lowest;
    bool same = true;  // as in layers without positions
    for (const Layers& layer : group) {
      highest.push_back(layer.highest);
      lowest.push_back(layer.lowest);
      same = same && layer.highest.is_same(layer.lowest);
    }
    const auto joined = [](const std::vector<at::Tensor>& all) {
      return all.size() == 1 ? all.front().unsqueeze(0) : at::stack(all);
    };
    const at::Tensor of_highest = joined(highest);
    return {of_highest, same ? of_highest : joined(lowest)};
  }

  [[nodiscard]] Layers over_positions(const at::Tensor& tap) const {
    const at::Tensor units = members ? units_of_tap(tap, members->value, "Jumpstart") : units_of_tap(tap, "Jumpstart");
    const at::Tensor a = units.scalar_type() == at::kDouble ? units : units.to(at::kFloat);
    const std::vector<std::int64_t> positions = positions_of(a);
    return positions.empty() ? Layers{a, a} : Layers{a.amax(positions), a.amin(positions)};
  }

  /// The slacks of units or samples, whose extrema are taken over a dimension of the layers.
  static at::Tensor slack(const Layers& layers, std::int64_t over, const at::Tensor& share) {
    return (1 - layers.highest.amax({over})).relu() * share + (1 + layers.lowest.amin({over})).relu() * (1 - share);
  }

  /// The sum over the members of the aggregates.
  [[nodiscard]] at::Tensor aggregate(std::vector<at::Tensor> of_units, const std::vector<at::Tensor>& of_points) const {
    if (aggregation == Aggregation::balanced && slacks == Slacks::both) {
      return sum_of_finite(at::cat(of_units, 1).mean(1) + at::cat(of_points, 1).mean(1));
    }
    of_units.insert(of_units.end(), of_points.begin(), of_points.end());
    const at::Tensor all = at::cat(of_units, 1);
    switch (aggregation) {
      case Aggregation::norm:
        return sum_of_finite(all.norm(2, 1));
      case Aggregation::sum:
        return sum_of_finite(all.sum(1));
      default:
        return sum_of_finite(all.mean(1));
    }
  }
};

}  // namespace regimen::inline v0
