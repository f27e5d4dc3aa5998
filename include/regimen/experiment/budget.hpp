#pragma once
// No LibTorch.

#include <cmath>
#include <concepts>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/experiment/errors.hpp"
#include "regimen/experiment/time_left.hpp"

namespace regimen::inline v0::experiment {

/// The largest cut of an experiment that fits a time. `Cut`: any type that says how much smaller it becomes.
template <class Cut>
struct Fitted {
  Cut cut{};
  double seconds = 0;  ///< expected, with this cut
  bool fits = true;    ///< false: even the smallest cut takes too long
};

/// The first cut that takes at most `seconds`, else the last; `cuts` lead from the whole experiment to the smallest.
/// `estimate`: seconds that the experiment takes with a cut. Throws Error for no cuts.
///     first_that_fits(480, std::vector<int>{5, 4, 3}, [](int seeds) { return 120.0 * seeds; })    // 4 seeds, 480 s
template <class Cut, std::invocable<const Cut&> Estimate>
Fitted<Cut> first_that_fits(double seconds, const std::vector<Cut>& cuts, Estimate&& estimate) {
  if (cuts.empty()) {
    throw Error("first_that_fits needs cuts, at least that which leaves the experiment whole");
  }
  Fitted<Cut> fitted;
  for (const Cut& cut : cuts) {
    fitted = {.cut = cut, .seconds = estimate(cut), .fits = true};
    if (fitted.seconds <= seconds) {
      return fitted;
    }
  }
  fitted.fits = false;
  return fitted;
}

/// The largest share in [least, 1) of an experiment that fits, by bisection; `least` if even that does not. `fits`:
/// true for a share below some limit, false above.
template <std::predicate<double> Fits>
double largest_share(Fits&& fits, double least = 1e-9) {
  double low = least;
  double high = 1;
  for (int i = 0; i < 40 && fits(low); ++i) {
    const double middle = (low + high) / 2;
    (fits(middle) ? low : high) = middle;
  }
  return low;
}

/// The time that an experiment may take.
struct Budget {
  double seconds = 0;
  /// The share of `seconds` that is planned for, in (0, 1]. The rest is a reserve: phases may take longer than
  /// expected, and shared machines change their speed.
  double planned = 0.8;
  bool must_fit = true;  ///< whether too small a budget is an error
};

/// The largest experiment that fits a budget, of which `passed` seconds are used. `fit`: the largest one for so many
/// seconds, as a `Fitted`. Throws UsageError, with a sufficient budget, if `must_fit` and none fits.
template <std::invocable<double> Fit>
auto fit_to_budget(const Budget& budget, double passed, Fit&& fit) {
  const auto fitted = fit(budget.planned * budget.seconds - passed);
  if (!fitted.fits && budget.must_fit) {
    // A tenth more, since the pace is measured anew each time and varies a little.
    const double enough = std::ceil(1.1 * (fitted.seconds + passed) / budget.planned);
    throw UsageError("--budget must be at least about " + std::to_string(std::llround(enough)) + "s here, but is " +
                     std::to_string(std::llround(budget.seconds)) + "s: the smallest experiment takes " +
                     duration(fitted.seconds));
  }
  return fitted;
}

/// A sentence for the terminal: how a budget, in seconds, changed an experiment. `smaller`: what the cut changes, empty
/// if nothing; `doubt`: a sentence to append if something changes, with a leading space, or nothing.
template <class Cut>
std::string sentence_of(const Fitted<Cut>& fitted, const std::string& smaller, double budget,
                        const std::string& doubt = "") {
  const std::string time = duration(budget);
  if (!fitted.fits) {
    return (smaller.empty() ? "The experiment" : "Even the smallest experiment, " + smaller + ",") + " takes about " +
           duration(fitted.seconds) + ", more than " + time + "." + (smaller.empty() ? "" : doubt);
  }
  return smaller.empty() ? "The whole experiment fits into " + time + "."
                         : "To fit into " + time + ": " + smaller + "." + doubt;
}

}  // namespace regimen::inline v0::experiment
