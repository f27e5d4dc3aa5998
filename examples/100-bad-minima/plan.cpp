#include "plan.hpp"

#include <algorithm>
#include <cmath>

#include "files.hpp"

std::string Regularizers::name() const {
  if (none()) {
    return "vanilla";
  }
  if (augmentation && l2 && momentum) {
    return "all three";
  }
  std::string text;
  const auto add = [&text](bool on, const char* what) {
    text += on ? (text.empty() ? "" : " + ") + std::string(what) : "";
  };
  add(augmentation, "augmentation");
  add(l2, "l2");
  add(momentum, "momentum");
  return text;
}

std::vector<Regularizers> sets_of(const Settings& settings) {
  if (!settings.ablation) {
    return {{}, {true, true, true}};
  }
  std::vector<Regularizers> sets;
  for (int bits = 0; bits < 8; ++bits) {
    sets.push_back({(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0});
  }
  return sets;
}

std::string Unit::name() const {
  return model + "-seed" + std::to_string(seed) + (copies == 0 ? "-random" : "-R" + std::to_string(copies));
}

std::string Unit::job(const std::string& what) const {
  return file_name(name() + "-" + what);
}

std::vector<Unit> units_of(const Settings& settings) {
  std::vector<Unit> units;
  for (const std::string& model : settings.models) {
    for (int i = 0; i < settings.seeds; ++i) {
      const std::uint64_t seed = settings.first_seed + static_cast<std::uint64_t>(i);
      for (const int copies : settings.recipe.copies) {
        units.push_back({model, copies, seed});
      }
      units.push_back({model, 0, seed});
    }
  }
  return units;
}

double most_images(const Unit& unit, const Settings& settings, double images) {
  const Recipe& recipe = settings.recipe;
  double epochs = static_cast<double>(unit.copies) * recipe.memorize_epochs;
  for (const Regularizers& set : sets_of(settings)) {
    epochs += set.none() ? recipe.vanilla_epochs : recipe.escape_epochs;
  }
  return images * epochs;
}

Recipe shortened(const Recipe& recipe, double factor) {
  const auto epochs = [factor](int all) { return std::max(1, static_cast<int>(std::lround(factor * all))); };
  Recipe result = recipe;
  result.memorize_epochs = epochs(recipe.memorize_epochs);
  result.vanilla_epochs = epochs(recipe.vanilla_epochs);
  result.escape_epochs = epochs(recipe.escape_epochs);
  result.score_every = epochs(recipe.score_every);
  for (int& epoch : result.decay_at) {
    epoch = epochs(epoch);
  }
  return result;
}
