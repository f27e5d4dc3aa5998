#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/evaluate/evaluate.hpp"
#include "regimen/evaluate/evaluation.hpp"
#include "regimen/evaluate/walk.hpp"
#include "regimen/measure/concept.hpp"
#include "regimen/measure/data_for.hpp"
#include "regimen/model/model.hpp"
#include "regimen/model/tap.hpp"
#include "regimen/model/units.hpp"
#include "regimen/source/source.hpp"

namespace regimen::inline v0 {

/// What the ReLU units of a layer do on some data, as shares in [0, 1] (Riera et al. 2022). Every unit is dead, affine
/// or separating.
struct LayerActivity {
  double dead = 0;         ///< units whose pre-activation is above 0 for no sample: they are 0, without a gradient
  double affine = 0;       ///< units whose pre-activation is above 0 for all samples: they are no kink at all
  double separating = 0;   ///< the other units
  double dead_points = 0;  ///< samples for which no unit is above 0: the layers behind do not know them apart
};

namespace detail {

/// The extrema of the units of one layer, batch by batch.
struct UnitExtrema {
  at::Tensor highest, lowest;  ///< [members, units]
  at::Tensor dead_points;      ///< [members] int64
  std::int64_t samples = 0;

  /// a: as units_of_tap gives it.
  void add(const at::Tensor& a) {
    const std::vector<std::int64_t> positions = positions_of(a);
    const at::Tensor of_points = positions.empty() ? a : a.amax(positions);  // [N, members, units]
    const at::Tensor high = of_points.amax({0}), low = (positions.empty() ? a : a.amin(positions)).amin({0});
    const at::Tensor dead = (a > 0).flatten(2).any(2).logical_not().sum(0);
    highest = highest.defined() ? at::maximum(highest, high) : high;
    lowest = lowest.defined() ? at::minimum(lowest, low) : low;
    dead_points = dead_points.defined() ? dead_points + dead : dead;
    samples += a.size(0);
  }

  [[nodiscard]] LayerActivity of(std::int64_t member) const {
    const double units = static_cast<double>(highest.size(1));
    LayerActivity activity{.dead = (highest[member] <= 0).sum().item<double>() / units,
                           .affine = (lowest[member] > 0).sum().item<double>() / units,
                           .dead_points = dead_points[member].item<double>() / static_cast<double>(samples)};
    activity.separating = ((highest[member] > 0) & (lowest[member] <= 0)).sum().item<double>() / units;
    return activity;
  }
};

/// The extrema of the layers that a network shows on some data, in the order of the layers. units(tap): as
/// `units_of_tap` gives them.
template <class Units>
std::vector<UnitExtrema> unit_extrema(const Model& model, const Source& data, const Evaluation& how,
                                      const std::string& who, const Units& units) {
  const at::NoGradGuard no_grad;
  std::vector<UnitExtrema> layers;
  walk(model, data, how, who, [&](const Batch& batch) {
    const Taps taps;
    (void)how.execute.forward(model, batch);
    const std::size_t shown = taps.tensors().size();
    if (shown == 0) {
      throw Error(who +
                  " looks at tapped layers, and the network has no taps: write regimen::tap(layer(x)) in forward");
    }
    if (!layers.empty() && shown != layers.size()) {
      throw Error(who + ": the network shows " + std::to_string(shown) + " tensors by `tap`, where it showed " +
                  std::to_string(layers.size()) + " for the batch before");
    }
    layers.resize(shown);
    for (std::size_t i = 0; i < shown; ++i) {
      layers[i].add(units(taps.tensors()[i]));
    }
  });
  return layers;
}

}  // namespace detail

/// The activity of each layer of a network that it shows by `tap` before its ReLU, [N, units, ...], from the first. A
/// channel is one unit at all positions. The network is in eval mode, its modes are restored. Units with a NaN are of
/// no kind. Costs one forward pass of the data. Throws Error if there are no taps, if their number changes from batch
/// to batch, for taps of another shape, and for empty or endless data.
///     for (const regimen::LayerActivity& layer : regimen::layer_activity(net, train)) { ... layer.dead ... }
[[nodiscard]] inline std::vector<LayerActivity> layer_activity(const Model& model, const Source& data,
                                                               const Evaluation& how = {}) {
  std::vector<LayerActivity> layers;
  const std::string who = "layer_activity";
  const auto units = [&who](const at::Tensor& tap) { return units_of_tap(tap, who); };
  for (const detail::UnitExtrema& layer : detail::unit_extrema(model, data, how, who, units)) {
    layers.push_back(layer.of(0));
  }
  return layers;
}

/// `layer_activity` of each member of an ensemble in one module, whose taps are [N, members, units, ...]: by member,
/// then by layer.
[[nodiscard]] inline std::vector<std::vector<LayerActivity>> member_activity(const Model& model, const Source& data,
                                                                             std::int64_t members,
                                                                             const Evaluation& how = {}) {
  detail::require(members >= 1, "member_activity: members", "at least 1", members);
  const std::string who = "member_activity";
  const auto units = [&](const at::Tensor& tap) { return units_of_tap(tap, members, who); };
  const std::vector<detail::UnitExtrema> layers = detail::unit_extrema(model, data, how, who, units);
  std::vector<std::vector<LayerActivity>> all(static_cast<std::size_t>(members));
  for (std::size_t member = 0; member < all.size(); ++member) {
    for (const detail::UnitExtrema& layer : layers) {
      all[member].push_back(layer.of(static_cast<std::int64_t>(member)));
    }
  }
  return all;
}

/// The means over some layers.
[[nodiscard]] inline LayerActivity mean_activity(const std::vector<LayerActivity>& layers) {
  LayerActivity mean;
  const auto n = static_cast<double>(layers.size());
  for (const LayerActivity& layer : layers) {
    mean.dead += layer.dead / n;
    mean.affine += layer.affine / n;
    mean.separating += layer.separating / n;
    mean.dead_points += layer.dead_points / n;
  }
  return mean;
}

/// Shares of dead, affine and separating units and of dead points, as means over the tapped layers: see
/// `LayerActivity` and, for what it throws, `layer_activity`.
///     scoring.measures["units"] = regimen::Activity{};  // "units_dead", "units_affine", ...
struct Activity {
  std::optional<Source> data{};  ///< the phase's by default
  Evaluation how{};              ///< settings left at their defaults are the phase's; the loss is not used

  [[nodiscard]] std::vector<std::string> names() const { return {"affine", "dead", "dead_points", "separating"}; }

  Numbers operator()(const Probe& probe) const {
    const Source source = detail::data_for(data, probe, "Activity");
    const LayerActivity mean = mean_activity(layer_activity(probe.model, source, detail::filled_in(how, probe.how)));
    return {{"affine", mean.affine},
            {"dead", mean.dead},
            {"dead_points", mean.dead_points},
            {"separating", mean.separating}};
  }
};

}  // namespace regimen::inline v0
