#include "budget.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <regimen/base/error.hpp>

#include "time_left.hpp"

namespace {

/// Cuts from the whole experiment to the smallest, for phases that end by themselves; none if it cannot be made
/// smaller. Images go first: fewer were seen to leave the effect as it is, but of three seeds the interval is twice as
/// wide as of five.
std::vector<Cut> smaller_and_smaller(const Settings& settings, std::int64_t images) {
  constexpr int least_percent = 50;
  // Whole batches: the statistics of a last one of a few images would disturb the fit.
  const auto share = [&](int percent) {
    const std::int64_t batch = settings.recipe.batch;
    return std::max(images * percent / 100 / batch, std::int64_t{1}) * batch;
  };
  std::vector<Cut> cuts;
  for (int percent = 90; percent >= least_percent; percent -= 10) {
    if (share(percent) < images) {
      cuts.push_back({.seeds = settings.seeds, .images = share(percent)});
    }
  }
  const std::int64_t least_images = cuts.empty() ? settings.recipe.images : cuts.back().images;
  for (int seeds = settings.seeds - 1; seeds >= 3; --seeds) {
    cuts.push_back({.seeds = seeds, .images = least_images});
  }
  return cuts;
}

/// The longest phases for which it fits, by bisection.
Cut shortened(const Cut& whole, const auto& fits) {
  Cut low = whole;
  Cut high = whole;
  low.epochs = 1e-9;  // an epoch a phase
  for (int i = 0; i < 40 && fits(low); ++i) {
    Cut middle = whole;
    middle.epochs = (low.epochs + high.epochs) / 2;
    (fits(middle) ? low : high) = middle;
  }
  return low;
}

/// The share of a budget that is planned. The rest is kept in reserve: when phases end by themselves is not known
/// beforehand, and machines that are shared change their speed.
double planned_share(const Settings& settings) {
  return settings.recipe.until_fit ? 0.8 : 0.93;
}

/// The settings with the number of images that there are.
Settings with_images_there(Settings settings, const ImageCounts& counts) {
  if (settings.recipe.images > counts.train) {
    settings.recipe.images = counts.train;
  }
  return settings;
}

/// Measured: with 1,500 images and five seeds every interval is clear of zero (docs/results).
std::string doubt(const Cut& cut, const Settings& whole) {
  const bool few = whole.recipe.until_fit && (cut.seeds < 5 || (cut.images > 0 && cut.images < 1000));
  return few ? " The intervals may be too wide for an answer." : "";
}

}  // namespace

Fitted fit_to(double seconds, const Settings& settings, const ImageCounts& counts, const Paces& paces) {
  const auto estimate = [&](const Cut& cut) { return seconds_of(applied(cut, settings), counts, paces); };
  const auto fits = [&](const Cut& cut) { return estimate(cut) <= seconds; };
  Cut cut{.seeds = settings.seeds, .images = settings.recipe.images};
  if (!fits(cut) && settings.recipe.until_fit) {
    const auto cuts = smaller_and_smaller(settings, images_used(settings, counts));
    const auto largest = std::find_if(cuts.begin(), cuts.end(), fits);
    if (largest != cuts.end()) {
      cut = *largest;
    } else if (!cuts.empty()) {
      cut = cuts.back();
    }
  } else if (!fits(cut)) {
    cut = shortened(cut, fits);
  }
  return {.cut = cut, .seconds = estimate(cut), .fits = fits(cut)};
}

Fitted fit_to_budget(const Task& task, double passed, const Settings& settings, const ImageCounts& counts,
                     const Paces& paces) {
  const double share = planned_share(settings);
  const Fitted fitted = fit_to(share * task.budget - passed, settings, counts, paces);
  if (!fitted.fits && task.must_fit) {
    // A tenth more, since the pace is measured anew and comes out a little different each time.
    const double enough = std::ceil(1.1 * (fitted.seconds + passed) / share);
    throw regimen::Error("--budget must be at least about " + std::to_string(std::llround(enough)) + "s here, but is " +
                         std::to_string(std::llround(task.budget)) + "s: the smallest experiment takes " +
                         duration(fitted.seconds));
  }
  return fitted;
}

std::string sentence_of(const Fitted& fitted, const Settings& whole, const ImageCounts& counts, double budget) {
  const std::string smaller = in_words(fitted.cut, with_images_there(whole, counts));
  const std::string time = duration(budget);
  if (!fitted.fits) {
    return (smaller.empty() ? "The experiment" : "Even the smallest experiment, " + smaller + ",") + " takes about " +
           duration(fitted.seconds) + ", more than " + time + "." + (smaller.empty() ? "" : doubt(fitted.cut, whole));
  }
  return smaller.empty() ? "The whole experiment fits into " + time + "."
                         : "To fit into " + time + ": " + smaller + "." + doubt(fitted.cut, whole);
}

std::string planned_before(const Cut& cut, const Settings& whole, const ImageCounts& counts) {
  const std::string smaller = in_words(cut, with_images_there(whole, counts));
  return smaller.empty() ? "" : "As planned before: " + smaller + "." + doubt(cut, whole);
}
