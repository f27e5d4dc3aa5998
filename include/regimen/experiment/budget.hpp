#pragma once
// No LibTorch.

#include <cmath>
#include <concepts>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/experiment/time_left.hpp"

namespace regimen::inline v0::experiment {

/// What a time leaves of an experiment. A cut is any type that says how much smaller it is made.
template <class Cut>
struct Fitted {
  Cut cut{};
  double seconds = 0;  ///< that it is expected to take
  bool fits = true;    ///< false: even this one, the smallest, takes too long
};

/// The first cut that takes at most `seconds`, of cuts that lead from the whole experiment to the smallest; the last if
/// none does. `estimate`: seconds that the experiment takes with a cut. Throws Error for no cuts.
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

/// The largest share in [least, 1) that fits, by bisection; `least` if not even that does. For what can be shortened by
/// any factor.
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

/// A time that an experiment is to fit.
struct Budget {
  double seconds = 0;
  /// The share that is planned, in (0, 1]. The rest is kept in reserve: when phases end by themselves is not known
  /// beforehand, and machines that are shared change their speed.
  double planned = 0.8;
  bool must_fit = true;  ///< whether one that is too small is an error
};

/// The largest experiment that fits a budget of which `passed` seconds are over. `fit`: the largest that takes at most
/// so many seconds, as a `Fitted`. Throws Error, with a budget that would do, if it must fit and the smallest does not.
template <std::invocable<double> Fit>
auto fit_to_budget(const Budget& budget, double passed, Fit&& fit) {
  const auto fitted = fit(budget.planned * budget.seconds - passed);
  if (!fitted.fits && budget.must_fit) {
    // A tenth more, since the pace is measured anew and comes out a little different each time.
    const double enough = std::ceil(1.1 * (fitted.seconds + passed) / budget.planned);
    throw Error("--budget must be at least about " + std::to_string(std::llround(enough)) + "s here, but is " +
                std::to_string(std::llround(budget.seconds)) + "s: the smallest experiment takes " +
                duration(fitted.seconds));
  }
  return fitted;
}

/// What a budget made of an experiment, in a sentence for the terminal. `smaller`: what a cut changes, empty if it
/// changes nothing; `doubt`: a sentence that follows where it changes something, with a space before it, or nothing.
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
