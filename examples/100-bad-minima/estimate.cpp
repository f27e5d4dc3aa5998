#include "estimate.hpp"

#include <algorithm>
#include <cmath>

namespace {

// Epochs that the quick recipe's memorizing and vanilla phases were seen to need. Only times that are expected before
// the first training has ended hang on them.
constexpr int seen_memorize_epochs = 26;
constexpr int seen_vanilla_epochs_random = 38;
constexpr int seen_vanilla_epochs_adversarial = 20;

// What a process of a unit takes to begin, and what a training takes besides its images: a snapshot, checkpoints; on a
// GPU a recording.
constexpr double seconds_a_unit = 2;
constexpr double seconds_a_job = 0.5;
constexpr double seconds_a_job_on_gpu = 2;

/// Images that one training is shown, and those that it is scored on.
struct Shown {
  double training = 0;
  double scoring = 0;
};

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
  if (paces.empty()) {
    return shown.training + shown.scoring / 3;  // a forward pass is about a third of a step
  }
  const Pace& pace = paces.at(unit.model);
  const double overhead = settings.device == "cuda" ? seconds_a_job_on_gpu : seconds_a_job;
  return shown.training / pace.training + shown.scoring / pace.scoring + overhead;
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

double seconds_of(const Chain& jobs) {
  double sum = jobs.empty() ? 0 : seconds_a_unit;
  for (const ExpectedJob& job : jobs) {
    sum += job.cost;
  }
  return sum;
}

double seconds_of(const std::vector<Chain>& units, int workers) {
  std::vector<double> seconds;
  for (const Chain& jobs : units) {
    seconds.push_back(seconds_of(jobs));
  }
  std::sort(seconds.rbegin(), seconds.rend());
  return makespan(seconds, workers);
}

double seconds_of(const Settings& settings, const ImageCounts& counts, const Paces& paces) {
  std::vector<Chain> units;
  for (const Unit& unit : units_of(settings)) {
    units.push_back(expected_jobs(unit, settings, counts, paces));
  }
  return seconds_of(units, settings.workers);
}
