#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/batch/batch.hpp"
#include "regimen/curvature/loss_surface.hpp"
#include "regimen/evaluate/evaluate.hpp"
#include "regimen/measure/detail/weight_noise.hpp"
#include "regimen/statistics/interval.hpp"
#include "regimen/statistics/mean.hpp"
#include "regimen/statistics/student_t.hpp"

namespace regimen::inline v0::detail {

/// The largest noise on the weights that a network's accuracy tolerates.
///
/// All candidates get the same unit noises, so the mean accuracy over the draws is one function of sigma. `by_slope`
/// finds where it crosses the goal with about twice as many passes as there are draws. Where the accuracy is no smooth
/// slope there (few samples, a plateau, a cliff), `by_bisection` finds it with several times as many. What was drawn is
/// kept: one double for each candidate and draw.
class ToleratedNoise {
 public:
  struct Settings {
    double drop = 0.1;
    std::int64_t draws = 16;
    double tolerance = 0.1;
    double level = 0.95;
    std::uint64_t seed = 0;
  };

  /// Natural logarithms of sigma, with the ends of its confidence interval; plus or minus infinity where the accuracy
  /// never falls below the goal, or is below at once.
  struct Found {
    double log_sigma = std::numeric_limits<double>::infinity();
    double low = log_sigma;
    double high = log_sigma;
  };

  /// scale: [size()] double, the standard deviation of each weight's noise for sigma = 1. Costs a forward pass.
  ToleratedNoise(const LossSurface& surface, at::Tensor scale, std::string who, const Settings& how)
      : surface_(surface), scale_(std::move(scale)), who_(std::move(who)), how_(how), fit_(accuracy()) {}

  [[nodiscard]] double fit() const { return fit_; }
  [[nodiscard]] std::int64_t passes() const { return passes_; }

  [[nodiscard]] Found find(double log_start) {
    const std::optional<Found> quick = by_slope(log_start);
    return quick ? *quick : by_bisection(log_start);
  }

 private:
  static constexpr double farthest = 14;  ///< of log sigma from its start: a factor of a million
  static constexpr double reach = 0.35;   ///< of log sigma to both sides, between which a slope is taken

  /// The mean accuracy's slope over log sigma, with its standard error.
  struct Slope {
    double at = 0;  ///< log sigma
    double value = 0;
    double error = 0;
    double middle = 0;  ///< mean accuracy of the two ends

    [[nodiscard]] bool told() const { return value < -3 * error; }
  };

  [[nodiscard]] double goal() const { return fit_ - how_.drop; }

  /// The accuracy at the weights as they are now.
  double accuracy() {
    const at::NoGradGuard no_grad;
    ScoreSums sums(surface_.device());
    surface_.each_output(
        [&](const at::Tensor& output, const Batch& batch) { sums.add(surface_.how().loss, output, batch); });
    ++passes_;
    const double share = sums.score().accuracy;
    if (std::isnan(share)) {
      throw Error(who_ + " takes a loss and data that have an accuracy: see Loss::correct");
    }
    return share;
  }

  /// The accuracies under the first `n` noises.
  std::span<const double> drawn(double log_sigma, std::int64_t n) {
    std::vector<double>& seen = seen_[log_sigma];
    while (std::ssize(seen) < n) {
      const at::Tensor noise = normal_weights(surface_, how_.seed, static_cast<std::int64_t>(seen.size()));
      const auto moved = surface_.displaced(noise * scale_ * std::exp(log_sigma));
      seen.push_back(accuracy());
    }
    return std::span<const double>(seen).first(static_cast<std::size_t>(n));
  }

  /// The mean accuracy over all draws with its confidence interval.
  Interval all_draws(double log_sigma) { return mean_interval(drawn(log_sigma, how_.draws), how_.level); }

  [[nodiscard]] bool holds(double log_sigma) { return all_draws(log_sigma).mean >= goal(); }

  /// All draws at one sigma near the crossing, and a slope to go the rest of the way; nothing where that way is too far
  /// or the slope too uncertain.
  std::optional<Found> by_slope(double start) {
    const std::optional<double> near = near_crossing(start);
    if (!near) {
      return std::nullopt;
    }
    Slope slope = slope_at(*near);
    if (!slope.told()) {
      return std::nullopt;
    }
    double at = *near + std::clamp((goal() - slope.middle) / slope.value, -reach, reach);
    for (int attempt = 0; attempt < 3; ++attempt) {
      if (std::abs(at - slope.at) > 0.2) {  // where the accuracy may fall otherwise
        slope = slope_at(at);
        if (!slope.told()) {
          return std::nullopt;
        }
      }
      const Interval here = all_draws(at);
      const double rest = (goal() - here.mean) / slope.value;
      const double half = here.half_width / -slope.value;
      if (std::abs(rest) <= std::min(reach, std::max(how_.tolerance, half))) {
        const double quantile = student_t_quantile(static_cast<std::size_t>(how_.draws - 1), how_.level);
        const double width = std::hypot(half, quantile * rest * slope.error / slope.value);
        return Found{at + rest, at + rest - width, at + rest + width};
      }
      at += std::clamp(rest, -reach, reach);
    }
    return std::nullopt;
  }

  /// A sigma at which two noises lower the accuracy by between half and twice of what they may. Between its bounds the
  /// next candidate is where it would be if the fall grew with the square of sigma.
  std::optional<double> near_crossing(double start) {
    double low = start - farthest;
    double high = start + farthest;
    double at = start;
    for (int candidate = 0; candidate < 12; ++candidate) {
      const double fallen = (fit_ - mean_interval(drawn(at, 2)).mean) / how_.drop;
      const double step = -std::log(std::max(fallen, 0.05)) / 2;
      if (fallen > 0.5 && fallen < 2) {
        return at + step;
      }
      (step > 0 ? low : high) = at;
      at = at + step > low && at + step < high ? at + step : (low + high) / 2;
    }
    return std::nullopt;
  }

  /// From differences between two sigmas under equal noises, as few as tell the slope within an eighth.
  Slope slope_at(double log_sigma) {
    Slope slope{.at = log_sigma};
    for (std::int64_t n = std::min<std::int64_t>(4, how_.draws);; n = std::min<std::int64_t>(2 * n, how_.draws)) {
      const std::span<const double> low = drawn(log_sigma - reach, n);
      const std::span<const double> high = drawn(log_sigma + reach, n);
      const Interval rise = paired_difference(high, low);
      const double standard_error = rise.half_width / student_t_quantile(static_cast<std::size_t>(n - 1));
      slope.value = rise.mean / (2 * reach);
      slope.error = standard_error / (2 * reach);
      slope.middle = (mean_interval(low).mean + mean_interval(high).mean) / 2;
      // An error of 0 says that few draws on few samples were equal by chance.
      if ((slope.value < -8 * slope.error && slope.error > 0) || n == how_.draws) {
        return slope;
      }
    }
  }

  /// All draws for every candidate: twice as far in steps that double, then between a sigma that holds and one that
  /// does not.
  Found by_bisection(double start) {
    auto [low, high] = bracket(start);
    if (std::isinf(low) || std::isinf(high)) {
      const double found = std::isinf(low) ? low : high;
      return {found, found, found};
    }
    while (high - low > how_.tolerance) {
      const double between = (low + high) / 2;
      (holds(between) ? low : high) = between;
    }
    const Interval at_low = all_draws(low);
    const Interval at_high = all_draws(high);
    const double fall = at_low.mean - at_high.mean;
    const double crossing = low + (high - low) * (at_low.mean - goal()) / fall;
    const double spread = (at_low.half_width + at_high.half_width) / 2;
    const double guess = std::clamp(spread * (high - low) / fall, how_.tolerance, std::log(4.0));
    return {crossing, edge(crossing, low, spread, -guess), edge(crossing, high, spread, guess)};
  }

  /// A candidate that holds and a larger one that does not.
  std::pair<double, double> bracket(double start) {
    const bool up = holds(start);
    double at = start;
    for (double step = std::log(2.0); std::abs(at + step - start) < farthest; step *= 2) {
      const double next = up ? at + step : at - step;
      if (holds(next) != up) {
        return up ? std::pair(at, next) : std::pair(next, at);
      }
      at = next;
    }
    const double infinity = std::numeric_limits<double>::infinity();
    return up ? std::pair(at, infinity) : std::pair(-infinity, at);
  }

  /// The end of the interval on one side: the sigma at which the goal leaves the confidence interval of the mean
  /// accuracy. It is looked for at `next`, the end of the bracket, and then in steps. inside: how far the goal is from
  /// the interval's end at `from`, where it is within.
  double edge(double from, double next, double inside, double step) {
    double at = from;
    for (; std::abs(next - from) < farthest; step *= 1.5) {
      const Interval here = all_draws(next);
      const double still = step > 0 ? here.high() - goal() : goal() - here.low();
      if (still <= 0) {
        return inside > still ? at + (next - at) * inside / (inside - still) : at;
      }
      at = next;
      inside = still;
      next = from + step;
      if (std::abs(next - from) <= std::abs(at - from)) {
        next = at + step;
      }
    }
    return step * std::numeric_limits<double>::infinity();
  }

  const LossSurface& surface_;
  at::Tensor scale_;
  std::string who_;
  Settings how_;
  std::map<double, std::vector<double>> seen_{};
  std::int64_t passes_ = 0;
  double fit_;
};

}  // namespace regimen::inline v0::detail
