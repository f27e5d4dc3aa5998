#include "estimate.hpp"

#include <algorithm>
#include <cmath>

namespace ex = regimen::experiment;

namespace {

// Epochs that the quick recipe's memorizing and vanilla phases were seen to need. Only times that are expected before
// the first training has ended hang on them.
constexpr int seen_memorize_epochs = 26;
constexpr int seen_vanilla_epochs_random = 38;
constexpr int seen_vanilla_epochs_adversarial = 20;

using regimen::experiment::Shown;

/// The points of a training's curves, its last included.
double points(const Unit& unit, const Settings& settings, double epochs) {
  const bool curves = has_curves(settings, unit.seed);
  return curves ? std::ceil(epochs / settings.recipe.score_every) : 1;
}

Shown on_random_labels(const Unit& unit, const Settings& settings, const ImageCounts& counts) {
  const Recipe& recipe = settings.recipe;
  const auto n = static_cast<double>(images_used(settings, counts));
  const double copies = unit.copies;
  const int epochs = recipe.until_fit ? std::min(seen_memorize_epochs, recipe.memorize_epochs) : recipe.memorize_epochs;
  const double along = has_curves(settings, unit.seed) ? static_cast<double>(test_along(settings, counts)) : 0;
  return {.training = epochs * copies * n,
          .scoring = points(unit, settings, epochs) * (copies * n + n + along) +
                     (recipe.until_fit ? epochs / 2.0 * copies * n : 0)};
}

Shown on_true_labels(const Unit& unit, const Regularizers& set, const Settings& settings, const ImageCounts& counts) {
  const Recipe& recipe = settings.recipe;
  const auto n = static_cast<double>(images_used(settings, counts));
  const bool until_fit = recipe.until_fit && set.none();
  const int seen = unit.copies > 0 ? seen_vanilla_epochs_adversarial : seen_vanilla_epochs_random;
  const int most = set.none() ? recipe.vanilla_epochs : recipe.escape_epochs;
  const int epochs = until_fit ? std::min(seen, most) : most;
  const double along = has_curves(settings, unit.seed) ? static_cast<double>(test_along(settings, counts)) : 0;
  return {.training = epochs * n,
          .scoring = points(unit, settings, epochs) * (2 * n + along) + (until_fit ? epochs / 2.0 * n : 0) +
                     static_cast<double>(counts.test)};
}

double cost(const Shown& shown, const Unit& unit, const Settings& settings, const Paces& paces) {
  return ex::cost(shown, unit.model, paces, settings.device == "cuda" ? ex::seconds_a_job_on_gpu : ex::seconds_a_job);
}

}  // namespace

Chain expected_jobs(const Unit& unit, const Settings& settings, const ImageCounts& counts, const Paces& paces) {
  Chain jobs;
  if (unit.copies > 0) {
    jobs.push_back({.name = unit.job(memorizing),
                    .kind = unit.model + " memorize " + std::to_string(unit.copies),
                    .cost = cost(on_random_labels(unit, settings, counts), unit, settings, paces)});
  }
  for (const Regularizers& set : sets_of(settings)) {
    // Where an arm ends by itself hangs on where it starts.
    const bool fixed = !settings.recipe.until_fit || !set.none();
    jobs.push_back({.name = unit.job(set.name()),
                    .kind = unit.model + " " + set.name() + (fixed ? "" : " " + std::to_string(unit.copies)),
                    .cost = cost(on_true_labels(unit, set, settings, counts), unit, settings, paces)});
  }
  return jobs;
}

ex::Plan expected_units(const Settings& settings, const ImageCounts& counts, const Paces& paces) {
  ex::Plan units;
  for (const Unit& unit : units_of(settings)) {
    units.push_back({unit.name(), expected_jobs(unit, settings, counts, paces)});
  }
  return units;
}

double seconds_of(const Settings& settings, const ImageCounts& counts, const Paces& paces) {
  return seconds_of(expected_units(settings, counts, paces), settings.workers);
}
