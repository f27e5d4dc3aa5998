#pragma once
// No LibTorch.

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/report/picture.hpp"
#include "regimen/report/series.hpp"

namespace regimen::inline v0::report {

/// A panel of numbers on the straight line between two minima: losses, or accuracies, against t in [0, 1], as
/// `Barrier::line` computes them. Throws Error if there is no curve.
///     report::Panel way = report::line_panel({{.name = "training images", .x = t, .y = loss}}, "loss", "good", "bad");
[[nodiscard]] inline Panel line_panel(const std::vector<Lines>& curves, const std::string& label,
                                      const std::string& from, const std::string& to) {
  detail::require(!curves.empty(), "line_panel: curves.size()", "at least 1", curves.size());
  return {.x = {.label = "from " + from + " (0) to " + to + " (1)"},
          .y = {.label = label, .from = 0},
          .series = {curves.begin(), curves.end()}};
}

/// How far the loss rises on the line above the straight connection of its ends: the barrier of Frankle et al. (2020),
/// at least 0. Throws Error unless t and loss have one length of at least 2.
[[nodiscard]] inline double barrier_of(const std::vector<double>& t, const std::vector<double>& loss) {
  detail::require(t.size() >= 2, "barrier_of: t.size()", "at least 2, the ends", t.size());
  detail::require(loss.size() == t.size(), "barrier_of: loss.size()", "t.size() = " + detail::text(t.size()),
                  loss.size());
  double barrier = 0;
  for (std::size_t i = 0; i < t.size(); ++i) {
    barrier = std::max(barrier, loss[i] - ((1 - t[i]) * loss.front() + t[i] * loss.back()));
  }
  return barrier;
}

/// A panel of spectral densities on a logarithmic axis from `least` to 1: what is less, the gaps that smoothing leaves
/// between two eigenvalues, is drawn at `least`. Throws Error if there is no curve, or unless `least` is in (0, 1).
[[nodiscard]] inline Panel density_panel(std::vector<Lines> curves, double least = 1e-7) {
  detail::require(!curves.empty(), "density_panel: curves.size()", "at least 1", curves.size());
  detail::require(least > 0 && least < 1, "density_panel: least", "in (0, 1)", least);
  Panel panel{.x = {.label = "eigenvalue"}, .y = {.label = "density", .from = least, .to = 1, .scale = Scale::log}};
  for (Lines& curve : curves) {
    for (double& value : curve.y) {
      value = std::max(value, least);
    }
    panel.series.emplace_back(std::move(curve));
  }
  return panel;
}

}  // namespace regimen::inline v0::report
