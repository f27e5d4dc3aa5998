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

namespace regimen::inline v0::detail {

/// The largest noise on the weights that a network's accuracy tolerates.
///
/// All candidates get the same unit noises, so the mean accuracy over the draws is one function of sigma, and its
/// crossing of the goal can be bisected. What was drawn is kept: one double for each candidate and draw.
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
    const auto [below, above] = bracket(log_start);
    double low = below;
    double high = above;
    if (std::isinf(low) || std::isinf(high)) {
      const double found = std::isinf(low) ? low : high;
      return {found, found, found};
    }
    for (int step = 1; high - low > how_.tolerance; ++step) {
      const double between = step % 3 == 0 ? (low + high) / 2 : beside_crossing(low, high);
      (holds(between) ? low : high) = between;
    }
    const Interval at_low = all_draws(low);
    const Interval at_high = all_draws(high);
    if (at_low.mean < goal() || at_high.mean >= goal()) {
      early_ = false;  // a sign that was told from few draws was wrong: once more, from all of them
      return find(log_start);
    }
    const double fall = at_low.mean - at_high.mean;
    const double crossing = low + (high - low) * (at_low.mean - goal()) / fall;
    const double spread = (at_low.half_width + at_high.half_width) / 2;
    const double guess = std::clamp(spread * (high - low) / fall, how_.tolerance, std::log(4.0));
    return {crossing, edge(crossing, low, spread, -guess), edge(crossing, high, spread, guess)};
  }

 private:
  static constexpr double farthest = 14;  ///< of log sigma from its start: a factor of a million

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

  void draw(double log_sigma, std::vector<double>& seen) {
    const at::Tensor noise = normal_weights(surface_, how_.seed, static_cast<std::int64_t>(seen.size()));
    const auto moved = surface_.displaced(noise * scale_ * std::exp(log_sigma));
    seen.push_back(accuracy());
  }

  /// The mean accuracy over all draws with its confidence interval.
  Interval all_draws(double log_sigma) {
    std::vector<double>& seen = seen_[log_sigma];
    while (std::ssize(seen) < how_.draws) {
      draw(log_sigma, seen);
    }
    return mean_interval(std::span<const double>(seen), how_.level);
  }

  /// Whether the mean accuracy is at least the goal, from as few draws as tell.
  bool holds(double log_sigma) {
    std::vector<double>& seen = seen_[log_sigma];
    while (std::ssize(seen) < how_.draws && !(early_ && is_told(seen))) {
      draw(log_sigma, seen);
    }
    return mean_so_far(log_sigma) >= goal();
  }

  /// Whether the draws so far are 3 standard errors from the goal. Three that are equal by chance have none, so that of
  /// one coin toss for each sample is the least.
  [[nodiscard]] bool is_told(const std::vector<double>& seen) const {
    if (seen.size() < 3) {
      return false;
    }
    const auto n = static_cast<double>(seen.size());
    double mean = 0;
    double squares = 0;
    for (const double value : seen) {
      mean += value / n;
    }
    for (const double value : seen) {
      squares += (value - mean) * (value - mean);
    }
    const double variance = std::max(squares / (n - 1), 0.25 / static_cast<double>(*surface_.data().size()));
    return std::abs(mean - goal()) > 3 * std::sqrt(variance / n);
  }

  /// A candidate that holds and a larger one that does not, in steps that double.
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

  /// Where a line between the ends' accuracies crosses the goal, and a little more towards the farther end: two of
  /// these make a bracket as narrow as it has to be, and candidates so near are the ones that take all draws.
  double beside_crossing(double low, double high) {
    const double above = mean_so_far(low) - goal();
    const double share = above / (above - mean_so_far(high) + goal());
    const double beside = low + (high - low) * share + (share < 0.5 ? 0.45 : -0.45) * how_.tolerance;
    const double margin = (high - low) / 10;
    return std::clamp(beside, low + margin, high - margin);
  }

  double mean_so_far(double log_sigma) {
    return mean_interval(std::span<const double>(seen_[log_sigma]), how_.level).mean;
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
  bool early_ = true;
  double fit_;
};

}  // namespace regimen::inline v0::detail
