#include "budget.hpp"

#include <algorithm>
#include <vector>

namespace ex = regimen::experiment;

namespace {

/// Cuts from the whole experiment to the smallest, for phases that end by themselves. Images go first: fewer were seen
/// to leave the effect as it is, but of three seeds the interval is twice as wide as of five.
std::vector<Cut> smaller_and_smaller(const Settings& settings, std::int64_t images) {
  constexpr int least_percent = 50;
  // Whole batches: the statistics of a last one of a few images would disturb the fit.
  const auto share = [&](int percent) {
    const std::int64_t batch = settings.recipe.batch;
    return std::max(images * percent / 100 / batch, std::int64_t{1}) * batch;
  };
  std::vector<Cut> cuts{{.seeds = settings.seeds, .images = settings.recipe.images}};
  for (int percent = 90; percent >= least_percent; percent -= 10) {
    if (share(percent) < images) {
      cuts.push_back({.seeds = settings.seeds, .images = share(percent)});
    }
  }
  const std::int64_t least_images = cuts.back().images;
  for (int seeds = settings.seeds - 1; seeds >= 3; --seeds) {
    cuts.push_back({.seeds = seeds, .images = least_images});
  }
  return cuts;
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
  if (settings.recipe.until_fit) {
    return ex::first_that_fits(seconds, smaller_and_smaller(settings, images_used(settings, counts)), estimate);
  }
  const Cut whole{.seeds = settings.seeds, .images = settings.recipe.images};
  Cut shortened = whole;
  shortened.epochs = ex::largest_share([&](double share) {
    return estimate({.seeds = whole.seeds, .images = whole.images, .epochs = share}) <= seconds;
  });
  return ex::first_that_fits(seconds, std::vector<Cut>{whole, shortened}, estimate);
}

Fitted fit_to_budget(const Task& task, double passed, const Settings& settings, const ImageCounts& counts,
                     const Paces& paces) {
  const ex::Budget budget{
      .seconds = task.budget, .planned = settings.recipe.until_fit ? 0.8 : 0.93, .must_fit = task.must_fit};
  return ex::fit_to_budget(budget, passed, [&](double seconds) { return fit_to(seconds, settings, counts, paces); });
}

std::string sentence_of(const Fitted& fitted, const Settings& whole, const ImageCounts& counts, double budget) {
  return ex::sentence_of(fitted, in_words(fitted.cut, with_images_there(whole, counts)), budget,
                         doubt(fitted.cut, whole));
}

std::string planned_before(const Cut& cut, const Settings& whole, const ImageCounts& counts) {
  const std::string smaller = in_words(cut, with_images_there(whole, counts));
  return smaller.empty() ? "" : "As planned before: " + smaller + "." + doubt(cut, whole);
}
