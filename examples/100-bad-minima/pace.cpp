#include "pace.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "networks.hpp"
#include "unit.hpp"

namespace rg = regimen;

namespace {

/// Seconds that an epoch on so many images takes, once all is warm.
double seconds_an_epoch(const std::string& model, const Settings& settings, const Images& images,
                        std::int64_t samples) {
  auto net = make_network(model, images.classes(), images.channels());
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
  constexpr double enough = 1.5;  // seconds
  const std::int64_t all = *images.train.size();
  std::int64_t samples = std::min<std::int64_t>(all, 4 * settings.recipe.batch);
  double seconds = seconds_an_epoch(model, settings, images, samples);
  while (seconds < enough && samples < all) {
    const double wanted = 1.2 * enough / std::max(seconds, 1e-3) * static_cast<double>(samples);
    samples = std::min(all, static_cast<std::int64_t>(std::min(wanted, 20.0 * static_cast<double>(samples))));
    seconds = seconds_an_epoch(model, settings, images, samples);
  }

  const auto net = make_network(model, images.classes(), images.channels());
  const rg::Execution execute = execution_of(settings);
  execute.prepare(net);
  const rg::Source scored = rg::limit(images.test, std::min<std::int64_t>(2 * samples, images.test.size()));
  const rg::Evaluation how{
      .preprocess = {images.normalize}, .execute = execute, .batch = settings.device == "cuda" ? 1000 : 100};
  (void)rg::evaluate(net, rg::limit(scored, how.batch), how);
  const auto began = std::chrono::steady_clock::now();
  (void)rg::evaluate(net, scored, how);
  const double scoring = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return {.training = static_cast<double>(samples) / seconds, .scoring = static_cast<double>(*scored.size()) / scoring};
}

/// How often a phase is scored.
double scorings(int epochs, int every) {
  return std::ceil(static_cast<double>(epochs) / every);
}

}  // namespace

Paces measure_paces(const Settings& settings, const Images& images) {
  Paces paces;
  for (const std::string& model : settings.models) {
    paces[model] = measure(model, settings, images);
    std::printf("%s: %.0f images/s in training, %.0f in scoring\n", model.c_str(), paces[model].training,
                paces[model].scoring);
  }
  return paces;
}

double seconds_of(const Unit& unit, const Settings& settings, const Images& images, const Paces& paces) {
  const Recipe& recipe = settings.recipe;
  const Pace& pace = paces.at(unit.model);
  const double all = static_cast<double>(*images.train.size());
  const double n = recipe.images > 0 ? std::min(static_cast<double>(recipe.images), all) : all;
  const double test = static_cast<double>(images.test.size());
  double scored = 0;
  if (unit.copies > 0) {
    scored += scorings(recipe.memorize_epochs, recipe.score_every) * (unit.copies * n + n + test);
  }
  for (const Regularizers& set : sets_of(settings)) {
    scored += scorings(set.none() ? recipe.vanilla_epochs : recipe.escape_epochs, recipe.score_every) * (n + test);
  }
  return most_images(unit, settings, n) / pace.training + scored / pace.scoring;
}

double seconds_of(const std::vector<Unit>& units, const Settings& settings, const Images& images, const Paces& paces) {
  double sum = 0;
  for (const Unit& unit : units) {
    sum += seconds_of(unit, settings, images, paces);
  }
  return sum;
}

std::string duration(double seconds) {
  char text[64];
  if (seconds < 3600) {
    const auto whole = static_cast<int>(std::lround(seconds));
    std::snprintf(text, sizeof text, "%d min %02d s", whole / 60, whole % 60);
  } else if (seconds < 2 * 86400) {
    std::snprintf(text, sizeof text, "%.1f hours", seconds / 3600);
  } else if (seconds < 2 * 365 * 86400.0) {
    std::snprintf(text, sizeof text, "%.1f days", seconds / 86400);
  } else {
    std::snprintf(text, sizeof text, "%.1f years", seconds / (365 * 86400.0));
  }
  return text;
}

double budget_factor(const Settings& settings, double seconds, const Images& images, const Paces& paces) {
  const std::vector<Unit> units = units_of(settings);
  // What a training costs besides its images: a recording, a snapshot, checkpoints.
  double jobs = 0;
  for (const Unit& unit : units) {
    jobs += static_cast<double>(jobs_of(unit, settings).size());
  }
  const double left = 0.93 * seconds - 2 * jobs;
  const auto estimate = [&](double factor) {
    Settings scaled = settings;
    scaled.recipe = shortened(settings.recipe, factor);
    return seconds_of(units, scaled, images, paces);
  };
  double low = 0;
  double high = 1;
  if (estimate(high) <= left) {
    return high;
  }
  if (estimate(low) > left) {
    throw rg::Error("--budget: of " + duration(seconds) + " are left " + duration(std::max(left, 0.0)) +
                    " for training, and one epoch of each phase alone takes " + duration(estimate(low)));
  }
  for (int i = 0; i < 40; ++i) {
    const double middle = (low + high) / 2;
    (estimate(middle) <= left ? low : high) = middle;
  }
  return low;
}

std::string shortened_by(double factor, const Recipe& whole) {
  if (factor >= 1) {
    return "The whole recipe fits the budget.\n";
  }
  const Recipe recipe = shortened(whole, factor);
  char text[400];
  std::snprintf(
      text, sizeof text,
      "To fit the budget all phases are shortened to %.3f of the recipe: random labels at most %d epochs "
      "instead of %d, vanilla %d instead of %d, regularized %d instead of %d, scored every %d instead of %d.\n",
      factor, recipe.memorize_epochs, whole.memorize_epochs, recipe.vanilla_epochs, whole.vanilla_epochs,
      recipe.escape_epochs, whole.escape_epochs, recipe.score_every, whole.score_every);
  std::string result = text;
  for (std::size_t i = 0; i < recipe.decay_at.size(); ++i) {
    result += (i == 0 ? "Rates fall to a tenth after epoch " : ", ") + std::to_string(recipe.decay_at[i]) +
              " instead of " + std::to_string(whole.decay_at[i]);
  }
  return result + (recipe.decay_at.empty() ? "" : ".\n");
}
