#include "pace.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "networks.hpp"
#include "unit.hpp"

namespace rg = regimen;

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

/// Seconds that an epoch on so many images takes, once all is warm.
double seconds_an_epoch(const std::string& model, const Settings& settings, const Images& images,
                        std::int64_t samples) {
  auto net = make_network(model, images.classes(), images.channels(), settings.recipe.width);
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(1e-4).momentum(0.9).weight_decay(5e-4));
  rg::Phase phase{.name = "measuring the pace",
                  .data = rg::cached(rg::limit(images.train, samples)),
                  .optimizer = sgd,
                  .epochs = 3,
                  .batch = settings.recipe.batch,
                  .augment = {rg::RandomCrop{.padding = images.padding()}, rg::HorizontalFlip{}},
                  .preprocess = {images.normalize},
                  .execute = execution_of(settings)};
  std::vector<double> ends;
  const auto note = [&](const rg::Epoch& epoch) { ends.push_back(epoch.seconds); };
  rg::run(net, {phase}, rg::Splits{.every = 3, .score_fit = false}, note);
  return ends[2] - ends[1];
}

Pace measure(const std::string& model, const Settings& settings, const Images& images) {
  constexpr double enough = 1;  // seconds
  const std::int64_t all = *images.train.size();
  std::int64_t samples = std::min<std::int64_t>(all, 4 * settings.recipe.batch);
  double seconds = seconds_an_epoch(model, settings, images, samples);
  while (seconds < enough && samples < all) {
    const double wanted = 1.2 * enough / std::max(seconds, 1e-3) * static_cast<double>(samples);
    samples = std::min(all, static_cast<std::int64_t>(std::min(wanted, 20.0 * static_cast<double>(samples))));
    seconds = seconds_an_epoch(model, settings, images, samples);
  }

  const auto net = make_network(model, images.classes(), images.channels(), settings.recipe.width);
  const rg::Execution execute = execution_of(settings);
  execute.prepare(net);
  const rg::Source scored = rg::limit(images.test, std::min<std::int64_t>(2 * samples, images.test.size()));
  const rg::Evaluation how = scoring_of(settings, images);
  (void)rg::evaluate(net, rg::limit(scored, how.batch), how);
  const auto began = std::chrono::steady_clock::now();
  (void)rg::evaluate(net, scored, how);
  const double scoring = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return {.training = static_cast<double>(samples) / seconds, .scoring = static_cast<double>(*scored.size()) / scoring};
}

/// Images that one training is shown, and those that it is scored on.
struct Shown {
  double training = 0;
  double scoring = 0;
};

double images_of(const Settings& settings, const Images& images) {
  const auto all = static_cast<double>(*images.train.size());
  return settings.recipe.images > 0 ? std::min(all, static_cast<double>(settings.recipe.images)) : all;
}

/// The points of a training's curves, its last included.
double points(const Unit& unit, const Settings& settings, double epochs) {
  const bool curves = has_curves(settings, unit.seed);
  return curves ? std::ceil(epochs / settings.recipe.score_every) : 1;
}

Shown on_random_labels(const Unit& unit, const Settings& settings, const Images& images) {
  const Recipe& recipe = settings.recipe;
  const double n = images_of(settings, images);
  const double copies = unit.copies;
  const int epochs = recipe.until_fit ? std::min(seen_memorize_epochs, recipe.memorize_epochs) : recipe.memorize_epochs;
  const double along = has_curves(settings, unit.seed) ? test_along(settings, images) : 0;
  return {.training = epochs * copies * n,
          .scoring = points(unit, settings, epochs) * (copies * n + n + along) +
                     (recipe.until_fit ? epochs / 2.0 * copies * n : 0)};
}

Shown on_true_labels(const Unit& unit, const Regularizers& set, const Settings& settings, const Images& images) {
  const Recipe& recipe = settings.recipe;
  const double n = images_of(settings, images);
  const bool until_fit = recipe.until_fit && set.none();
  const int seen = unit.copies > 0 ? seen_vanilla_epochs_adversarial : seen_vanilla_epochs_random;
  const int most = set.none() ? recipe.vanilla_epochs : recipe.escape_epochs;
  const int epochs = until_fit ? std::min(seen, most) : most;
  const double along = has_curves(settings, unit.seed) ? test_along(settings, images) : 0;
  return {.training = epochs * n,
          .scoring = points(unit, settings, epochs) * (2 * n + along) + (until_fit ? epochs / 2.0 * n : 0) +
                     static_cast<double>(images.test.size())};
}

double cost(const Shown& shown, const Unit& unit, const Settings& settings, const Paces& paces) {
  if (paces.empty()) {
    return shown.training + shown.scoring / 3;  // a forward pass is about a third of a step
  }
  const Pace& pace = paces.at(unit.model);
  const double overhead = settings.device == "cuda" ? seconds_a_job_on_gpu : seconds_a_job;
  return shown.training / pace.training + shown.scoring / pace.scoring + overhead;
}

/// Cuts from the whole experiment to the smallest, where phases end by themselves. Images go first: fewer were seen to
/// leave the effect as it is, while of three seeds the interval is twice as wide as of five.
std::vector<Cut> smaller_and_smaller(const Settings& settings, std::int64_t images) {
  const int least_seeds = std::min(3, settings.seeds);
  std::vector<Cut> cuts;
  const auto add = [&](int seeds, int percent) {
    // Whole batches: the statistics of a last one of a few images would disturb the fit.
    const std::int64_t batch = settings.recipe.batch;
    cuts.push_back({.seeds = seeds, .images = std::max(images * percent / 100 / batch, std::int64_t{1}) * batch});
  };
  constexpr int least_percent = 50;
  for (int percent = 90; percent >= least_percent; percent -= 10) {
    add(settings.seeds, percent);
  }
  for (int seeds = settings.seeds - 1; seeds >= least_seeds; --seeds) {
    add(seeds, least_percent);
  }
  return cuts;
}

}  // namespace

Paces measure_paces(const Settings& settings, const Images& images) {
  Paces paces;
  for (const std::string& model : settings.models) {
    paces[model] = measure(model, settings, images);
  }
  return paces;
}

Chain expected_jobs(const Unit& unit, const Settings& settings, const Images& images, const Paces& paces) {
  Chain jobs;
  if (unit.copies > 0) {
    jobs.push_back({.name = unit.job(memorizing),
                    .kind = unit.model + " memorize " + std::to_string(unit.copies),
                    .cost = cost(on_random_labels(unit, settings, images), unit, settings, paces)});
  }
  for (const Regularizers& set : sets_of(settings)) {
    // Where an arm ends by itself hangs on where it starts.
    const bool fixed = !settings.recipe.until_fit || !set.none();
    jobs.push_back({.name = unit.job(set.name()),
                    .kind = unit.model + " " + set.name() + (fixed ? "" : " " + std::to_string(unit.copies)),
                    .cost = cost(on_true_labels(unit, set, settings, images), unit, settings, paces)});
  }
  return jobs;
}

double seconds_of(const Unit& unit, const Settings& settings, const Images& images, const Paces& paces) {
  double sum = seconds_a_unit;
  for (const ExpectedJob& job : expected_jobs(unit, settings, images, paces)) {
    sum += job.cost;
  }
  return sum;
}

double seconds_of(const std::vector<Unit>& units, const Settings& settings, const Images& images, const Paces& paces) {
  std::vector<double> seconds;
  for (const Unit& unit : units) {
    seconds.push_back(seconds_of(unit, settings, images, paces));
  }
  std::sort(seconds.rbegin(), seconds.rend());
  return makespan(seconds, settings.workers);
}

Fitted fit_to(double seconds, const Settings& settings, const Images& images, const Paces& paces) {
  const auto estimate = [&](const Cut& cut) {
    const Settings smaller = applied(cut, settings);
    return seconds_of(units_of(smaller), smaller, images, paces);
  };
  const auto fits = [&](const Cut& cut) { return estimate(cut) <= seconds; };
  const Cut whole{.seeds = settings.seeds, .images = settings.recipe.images};
  if (fits(whole)) {
    return {whole, true};
  }
  if (settings.recipe.until_fit) {
    const auto cuts = smaller_and_smaller(settings, static_cast<std::int64_t>(images_of(settings, images)));
    const auto largest = std::find_if(cuts.begin(), cuts.end(), fits);
    return largest == cuts.end() ? Fitted{cuts.back(), false} : Fitted{*largest, true};
  }
  Cut low = whole;
  Cut high = whole;
  low.epochs = 1e-9;
  if (!fits(low)) {
    return {low, false};
  }
  for (int i = 0; i < 40; ++i) {
    Cut middle = whole;
    middle.epochs = (low.epochs + high.epochs) / 2;
    (fits(middle) ? low : high) = middle;
  }
  return {low, true};
}
