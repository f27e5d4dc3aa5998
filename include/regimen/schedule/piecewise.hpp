#pragma once
// No LibTorch.

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "regimen/schedule/concept.hpp"
#include "regimen/schedule/detail/half_cosine.hpp"

namespace regimen::inline v0 {

/// The course of a schedule between two given values.
enum class Between {
  jump,    ///< the first value until the time of the second
  line,    ///< a straight line
  cosine,  ///< half a cosine
};

[[nodiscard]] inline std::string name_of(Between between) {
  static constexpr const char* names[] = {"jump", "line", "cosine"};
  return names[static_cast<std::size_t>(between)];
}

namespace detail {

/// The value between `from` and `to` at `progress` in [0, 1).
inline double on_the_way(double from, double to, double progress, Between how) {
  switch (how) {
    case Between::jump:
      return from;
    case Between::cosine:
      return to + (from - to) * half_cosine(progress);
    default:
      return from + (to - from) * progress;
  }
}

}  // namespace detail

/// A schedule through given points in time: the first value before the first point, the last value after the last
/// point. Covers Ignite's PiecewiseLinear and PyTorch's ConstantLR.
///     phase.lr_scale = regimen::Piecewise{{{0, 0.1}, {5, 1}, {30, 0}}};
///     regimen::Piecewise{.points = {{0, 1}, {10, 0.5}, {20, 0.1}}, .between = regimen::Between::jump}
struct Piecewise {
  struct Point {
    double epoch = 0;  ///< time in epochs, finite; 2.5 is half-way through the third epoch
    double value = 0;  ///< finite
  };

  std::vector<Point> points;  ///< at least one, by ascending epochs, no two at the same one
  Between between = Between::line;

  void check() const {
    detail::require(!points.empty(), "Piecewise.points.size()", "at least 1", points.size());
    for (std::size_t i = 0; i < points.size(); ++i) {
      const std::string point = "Piecewise.points[" + detail::text(i) + "]";
      const bool later = std::isfinite(points[i].epoch) && (i == 0 || points[i].epoch > points[i - 1].epoch);
      detail::require(later, point + ".epoch", "finite and after the one before", points[i].epoch);
      detail::require(std::isfinite(points[i].value), point + ".value", "finite", points[i].value);
    }
  }

  double operator()(const Clock& clock) const {
    std::size_t next = 0;
    while (next < points.size() && clock.reached(points[next].epoch)) {
      ++next;
    }
    if (next == 0) {
      return points.front().value;
    }
    const Point& last = points[next - 1];
    if (next == points.size()) {
      return last.value;
    }
    return detail::on_the_way(last.value, points[next].value, clock.progress(last.epoch, points[next].epoch), between);
  }
};

/// A rise from `start` to `peak` over the share `rise` of the epochs and a fall to `end` over the rest (Smith and Topin
/// 2017, super-convergence). With a peak below both ends it is the schedule of the momentum there.
///
/// PyTorch's OneCycleLR with its defaults: start = 1 / div_factor, end = start / final_div_factor. PyTorch counts from
/// its first step to its last: its T steps are T - 1 of ours, and `rise` is (pct_start T - 1) / (T - 1).
///     phase.lr_scale = regimen::OneCycle{.epochs = 30};
///     phase.momentum = regimen::OneCycle{.epochs = 30, .start = 0.95, .peak = 0.85, .end = 0.95};
struct OneCycle {
  double epochs = 0;    ///< duration, above 0; may be a fraction
  double rise = 0.3;    ///< share of the epochs in which the value rises, in (0, 1)
  double start = 0.04;  ///< first value, finite
  double peak = 1;      ///< value after the rise, finite
  double end = 4e-6;    ///< final value, finite
  Between between = Between::cosine;

  void check() const {
    detail::require(epochs > 0, "OneCycle.epochs", "above 0", epochs);
    detail::require(rise > 0 && rise < 1, "OneCycle.rise", "in (0, 1)", rise);
    detail::require(std::isfinite(start), "OneCycle.start", "finite", start);
    detail::require(std::isfinite(peak), "OneCycle.peak", "finite", peak);
    detail::require(std::isfinite(end), "OneCycle.end", "finite", end);
  }

  double operator()(const Clock& clock) const {
    const double top = rise * epochs;
    if (!clock.reached(top)) {
      return detail::on_the_way(start, peak, clock.progress(0, top), between);
    }
    return clock.reached(epochs) ? end : detail::on_the_way(peak, end, clock.progress(top, epochs), between);
  }
};

}  // namespace regimen::inline v0
