#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/record/history.hpp"
#include "regimen/statistics/interval.hpp"
#include "regimen/statistics/student_t.hpp"

namespace regimen::inline v0 {

/// The number of random draws of a Monte Carlo estimate. Drawing ends when the half width of the confidence interval is
/// at most `relative` times the estimate's absolute value, or at most `absolute`.
struct Draws {
  Integer least = 16;      ///< draws before the first look at the interval, at least 2
  Integer most = 1024;     ///< draws at most, at least `least`
  double relative = 0.1;   ///< at least 0; 0 with `absolute` 0 takes `most` draws
  double absolute = 0;     ///< at least 0
  double level = 0.95;     ///< confidence level, in (0, 1)
  std::uint64_t seed = 0;  ///< random seed; equal seeds give all models that are compared the same noise

  void check() const {
    detail::require(least >= 2, "Draws.least", "at least 2", least);
    detail::require(most >= least, "Draws.most", "at least Draws.least = " + detail::text(least.value), most);
    detail::require(relative >= 0, "Draws.relative", "at least 0", relative);
    detail::require(absolute >= 0, "Draws.absolute", "at least 0", absolute);
    detail::require(level > 0 && level < 1, "Draws.level", "in (0, 1)", level);
  }
};

/// The mean of random draws with its confidence interval, value +- half_width.
struct MonteCarloEstimate {
  double value = unknown;
  double half_width = unknown;  ///< half the width of the confidence interval, Student's t of the draws
  std::int64_t draws = 0;
  std::int64_t passes = 0;  ///< passes over the data that the draws took; the measure says of which kind
  bool converged = false;   ///< whether the interval is as narrow as `Draws` asks for

  [[nodiscard]] double low() const { return value - half_width; }
  [[nodiscard]] double high() const { return value + half_width; }
};

/// The mean of draw(0), draw(1), ..., each a random number with the mean that is looked for, drawn until the interval
/// is as narrow as `how` asks for.
///
/// The interval is looked at after `least` draws and after each further half of those so far. Few looks matter: an
/// interval that is looked at after each draw ends when it happens to be narrow, and then holds the mean too rarely.
/// For chi-squared numbers of 2 to 200 degrees of freedom and the default settings the 95 % interval holds the mean in
/// 93 to 97 % of all cases; where 16 draws of skewed numbers are enough for a wide interval, in fewer: 92 % were seen.
/// A draw that is not finite ends it: value and half width are NaN then. Throws Error for settings out of their range.
///     const auto mean = regimen::monte_carlo([&](std::int64_t i) { return loss_with_noise(i); }, {.relative = 0.05});
template <class Draw>
  requires std::convertible_to<std::invoke_result_t<Draw&, std::int64_t>, double>
[[nodiscard]] MonteCarloEstimate monte_carlo(Draw&& draw, const Draws& how = {}) {
  how.check();
  MonteCarloEstimate result;
  double squares = 0;  // of the distances from the mean (Welford 1962)
  result.value = 0;
  for (std::int64_t look = how.least; !result.converged; look = std::min<std::int64_t>(look + look / 2, how.most)) {
    while (result.draws < look) {
      const double drawn = draw(result.draws);
      ++result.draws;
      if (!std::isfinite(drawn)) {
        return {.draws = result.draws, .passes = result.draws};
      }
      const double before = drawn - result.value;
      result.value += before / static_cast<double>(result.draws);
      squares += before * (drawn - result.value);
    }
    const auto n = static_cast<double>(result.draws);
    result.half_width =
        student_t_quantile(static_cast<std::size_t>(result.draws - 1), how.level) * std::sqrt(squares / (n - 1) / n);
    result.converged = result.half_width <= std::max(how.relative * std::abs(result.value), how.absolute);
    if (result.draws == how.most) {
      break;
    }
  }
  result.passes = result.draws;
  return result;
}

/// `monte_carlo` for draws that are cheaper several at a time. draws_from(first, count) gives the draws with the
/// numbers first, first + 1, ... as a vector of `count` doubles; it is called when the first of them is needed.
/// `passes` of the result are the draws made. Throws Error unless block >= 1, and as `monte_carlo` does.
template <class DrawsFrom>
  requires std::convertible_to<std::invoke_result_t<DrawsFrom&, std::int64_t, std::int64_t>, std::vector<double>>
[[nodiscard]] MonteCarloEstimate monte_carlo_in_blocks(DrawsFrom&& draws_from, std::int64_t block,
                                                       const Draws& how = {}) {
  detail::require(block >= 1, "monte_carlo_in_blocks: block", "at least 1", block);
  std::vector<double> drawn;
  MonteCarloEstimate result = monte_carlo(
      [&](std::int64_t draw) {
        if (draw >= std::ssize(drawn)) {
          const std::vector<double> more = draws_from(draw, std::min(block, how.most - draw));
          drawn.insert(drawn.end(), more.begin(), more.end());
        }
        return drawn.at(static_cast<std::size_t>(draw));
      },
      how);
  result.passes = std::ssize(drawn);
  return result;
}

}  // namespace regimen::inline v0
