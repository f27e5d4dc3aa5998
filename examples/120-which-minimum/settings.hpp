#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <regimen/experiment.hpp>

#include "kit/cut.hpp"
#include "kit/image_settings.hpp"

namespace ex = regimen::experiment;
namespace rg = regimen;

/// The settings of the command line.
struct WhichSettings {
  kit::DataOptions data{.side = 14};
  std::string out = "results-which-minimum";
  std::string model = "pooled";
  kit::Machine machine{};
  int seeds = 1;
  std::int64_t images = 1000;
  int width = 16;
  int batch = 64;
  double memorize_rate = 0.2;
  double vanilla_rate = 0.02;
  int vanilla_epochs = 80;  ///< at most: it ends where all labels are fitted
  double escape_rate = 0.1;
  int escape_epochs = 80;
  std::vector<int> rates = {100, 50};  ///< percent of vanilla_rate and escape_rate
  std::int64_t some = 400;             ///< images for measures that take dozens of backward passes
  std::int64_t few = 100;              ///< images for measures that take hundreds
  int draws = 16;                      ///< random draws of a measure at most
};

inline kit::Sizes sizes_of(WhichSettings& s) {
  return {.seeds = &s.seeds, .images = &s.images, .batch = s.batch, .ends_by_itself = true};
}

/// A seed and a learning rate: four minima, which need nothing of other recipes. The random labels are fitted anew for
/// each rate, in the same bits, so that recipes can be trained side by side.
struct Recipe {
  std::uint64_t seed = 1;
  int rate = 100;

  [[nodiscard]] std::string unit() const { return "seed" + std::to_string(seed) + "-rate" + std::to_string(rate); }
  [[nodiscard]] std::string job(const std::string& what) const { return unit() + "-" + what; }
  [[nodiscard]] ex::Factors factors(const std::string& regularizers, const std::string& start) const {
    return {{"seed", std::to_string(seed)},
            {"rate", std::to_string(rate)},
            {"regularizers", regularizers},
            {"start", start}};
  }
  [[nodiscard]] bool is_first(const WhichSettings& s) const { return seed == 1 && rate == s.rates.front(); }
};

inline std::vector<Recipe> recipes_of(const WhichSettings& s) {
  std::vector<Recipe> recipes;
  for (int seed = 1; seed <= s.seeds; ++seed) {
    for (const int rate : s.rates) {
      recipes.push_back({static_cast<std::uint64_t>(seed), rate});
    }
  }
  return recipes;
}

/// One minimum: where it was started, and how it was reached.
struct Minimum {
  Recipe recipe;
  bool adversarial = false;
  bool regularized = false;

  [[nodiscard]] std::string start() const { return adversarial ? "adversarial" : "random"; }
  [[nodiscard]] std::string arm() const { return regularized ? "all three" : "vanilla"; }
  [[nodiscard]] std::string job() const { return recipe.job((regularized ? "all-three-" : "vanilla-") + start()); }
  [[nodiscard]] std::uint64_t number() const { return (regularized ? 2U : 0U) + (adversarial ? 1U : 0U); }
  [[nodiscard]] ex::Factors factors() const { return recipe.factors(arm(), start()); }
};

inline std::vector<Minimum> minima_of(const Recipe& recipe) {
  return {{recipe, false, false}, {recipe, true, false}, {recipe, false, true}, {recipe, true, true}};
}
