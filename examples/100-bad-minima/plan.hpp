#pragma once
// No LibTorch.

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <regimen/experiment/cost.hpp>
#include <regimen/experiment/files.hpp>
#include <regimen/experiment/plan.hpp>

#include "kit/image_settings.hpp"
#include "kit/subsets.hpp"
#include "settings.hpp"

namespace ex = regimen::experiment;

/// The training on random labels.
inline const char* const memorizing = "memorize";

/// The sets of regularizers that are compared: none, "vanilla", and all three, or all eight.
inline std::vector<kit::Subset> sets_of(const Settings& settings) {
  return kit::subsets({"augmentation", "l2", "momentum"}, "vanilla", "all three", /*only_ends=*/!settings.ablation);
}

/// A network from one start, trained with each set of regularizers by one process. An adversarial start
/// comes with the training on random labels that leads to it.
struct Unit {
  std::string model;
  int copies = 0;  ///< R of the confusion set that it starts from; 0: from random weights
  std::uint64_t seed = 1;

  /// "resnet18-seed1-R5", "resnet18-seed1-random"
  [[nodiscard]] std::string name() const {
    return model + "-seed" + std::to_string(seed) + (copies == 0 ? "-random" : "-R" + std::to_string(copies));
  }

  /// The name of one of its trainings, which bears its files: "resnet18-seed1-R5-all_three".
  [[nodiscard]] std::string job(const std::string& what) const { return ex::file_name(name() + "-" + what); }

  /// The factors of one of its trainings: the first columns of results.csv.
  [[nodiscard]] ex::Factors factors(const std::string& what) const {
    return {{"model", model},
            {"seed", std::to_string(seed)},
            {"start", copies == 0 || what == memorizing ? "random" : "adversarial"},
            {"copies", std::to_string(copies)},
            {"regularizers", what}};
  }
};

/// All units, in the order of their seeds. They need nothing of each other.
inline std::vector<Unit> units_of(const Settings& settings) {
  std::vector<Unit> units;
  for (const std::string& model : settings.models) {
    for (std::uint64_t seed = settings.first_seed;
         seed < settings.first_seed + static_cast<std::uint64_t>(settings.seeds); ++seed) {
      for (const int copies : settings.recipe.copies) {
        units.push_back({model, copies, seed});
      }
      units.push_back({model, 0, seed});
    }
  }
  return units;
}

/// Whether a seed's trainings are scored along the way, or only at their ends.
inline bool has_curves(const Settings& settings, std::uint64_t seed) {
  return settings.recipe.score_all_seeds || seed == settings.first_seed;
}

/// How many of the test images the curves take.
inline std::int64_t curve_images(const Settings& settings, std::int64_t all) {
  return settings.recipe.score_images > 0 ? std::min(all, settings.recipe.score_images) : all;
}

/// All units with what each of their trainings is expected to cost. Phases that end by a criterion are expected to end
/// where they were seen to.
inline ex::Plan plan_of(const Settings& settings, const kit::ImageCounts& counts, const ex::Paces& paces) {
  // Epochs that the quick recipe's phases were seen to need. Only times that are expected before the first training has
  // ended hang on them.
  constexpr int seen_memorize = 26, seen_vanilla_random = 38, seen_vanilla_adversarial = 20;
  const Recipe& recipe = settings.recipe;
  const auto images = static_cast<double>(recipe.images > 0 ? std::min(counts.train, recipe.images) : counts.train);
  const auto test = static_cast<double>(counts.test);
  ex::Plan plan;
  for (const Unit& unit : units_of(settings)) {
    ex::Chain& jobs = plan.emplace_back(ex::Unit{unit.name()}).jobs;
    const bool curves = has_curves(settings, unit.seed);
    const double along = curves ? static_cast<double>(curve_images(settings, counts.test)) : 0;
    // Images in forward passes that the measures of a minimum take: two passes a draw, and one more.
    constexpr double looked_at = (2 * look_draws + 1) * look_images;
    const auto add = [&](const std::string& what, int epochs, int seen, double copies, double at_end) {
      const bool ends_by_itself = recipe.until_fit && seen > 0;
      const ex::Length length{.epochs = static_cast<double>(ends_by_itself ? std::min(seen, epochs) : epochs),
                              .images = copies * images,
                              .each_point = (copies + 1) * images + along + (what == memorizing ? 0 : looked_at),
                              .every = static_cast<double>(curves ? recipe.score_every : std::max(epochs, 1)),
                              .fit_every = ends_by_itself ? 2.0 : 0.0,
                              .at_end = at_end};
      // The length of a training that ends by a criterion depends on its start.
      const std::string kind = unit.model + " " + what + (ends_by_itself ? " " + std::to_string(unit.copies) : "");
      jobs.push_back(
          {.name = unit.job(what),
           .kind = kind,
           .cost = ex::cost(ex::shown(length), unit.model, paces,
                            settings.machine.device == "cuda" ? ex::seconds_a_job_on_gpu : ex::seconds_a_job),
           .factors = unit.factors(what),
           .scored = what != memorizing});
    };
    if (unit.copies > 0) {
      add(memorizing, recipe.memorize_epochs, seen_memorize, unit.copies, 0);
    }
    for (const kit::Subset& set : sets_of(settings)) {
      const int seen = unit.copies > 0 ? seen_vanilla_adversarial : seen_vanilla_random;
      add(set.name, set.none() ? recipe.vanilla_epochs : recipe.escape_epochs, set.none() ? seen : 0, 1, test);
    }
  }
  return plan;
}
