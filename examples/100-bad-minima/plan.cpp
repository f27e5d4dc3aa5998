#include "plan.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

#include <regimen/base/error.hpp>

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

std::vector<std::string> trainings_of(const Unit& unit, const Settings& settings) {
  std::vector<std::string> names;
  if (unit.copies > 0) {
    names.emplace_back(memorizing);
  }
  for (const Regularizers& set : sets_of(settings)) {
    names.push_back(set.name());
  }
  return names;
}

std::int64_t images_used(const Settings& settings, const ImageCounts& counts) {
  return settings.recipe.images > 0 ? std::min(counts.train, settings.recipe.images) : counts.train;
}

bool has_curves(const Settings& settings, std::uint64_t seed) {
  return settings.recipe.score_all_seeds || seed == settings.first_seed;
}

std::int64_t test_along(const Settings& settings, const ImageCounts& counts) {
  return settings.recipe.score_images > 0 ? std::min(counts.test, settings.recipe.score_images) : counts.test;
}

Settings applied(const Cut& cut, Settings settings) {
  const auto epochs = [&cut](int all) { return std::max(1, static_cast<int>(std::lround(cut.epochs * all))); };
  Recipe& recipe = settings.recipe;
  settings.seeds = cut.seeds;
  recipe.images = cut.images;
  recipe.memorize_epochs = epochs(recipe.memorize_epochs);
  recipe.vanilla_epochs = epochs(recipe.vanilla_epochs);
  recipe.escape_epochs = epochs(recipe.escape_epochs);
  recipe.score_every = epochs(recipe.score_every);
  for (int& epoch : recipe.decay_at) {
    epoch = epochs(epoch);
  }
  return settings;
}

std::string in_words(const Cut& cut, const Settings& settings) {
  const Recipe& whole = settings.recipe;
  const Recipe recipe = applied(cut, settings).recipe;
  std::ostringstream text;
  if (cut.seeds < settings.seeds) {
    text << ", " << cut.seeds << " seeds instead of " << settings.seeds;
  }
  if (cut.images != whole.images) {
    text << ", " << cut.images << " images instead of " << (whole.images == 0 ? "all" : std::to_string(whole.images));
  }
  if (cut.epochs < 1) {
    text << ", all phases shortened to " << std::fixed << std::setprecision(3) << cut.epochs
         << " of the recipe: random labels at most " << recipe.memorize_epochs << " epochs instead of "
         << whole.memorize_epochs << ", vanilla " << recipe.vanilla_epochs << " instead of " << whole.vanilla_epochs
         << ", regularized " << recipe.escape_epochs << " instead of " << whole.escape_epochs << ", scored every "
         << recipe.score_every << " instead of " << whole.score_every;
    for (std::size_t i = 0; i < recipe.decay_at.size(); ++i) {
      text << (i == 0 ? ", rates a tenth after epoch " : ", ") << recipe.decay_at[i] << " instead of "
           << whole.decay_at[i];
    }
  }
  const std::string words = text.str();
  return words.empty() ? "" : words.substr(2);
}

std::string text_of(const Cut& cut) {
  return "seeds " + std::to_string(cut.seeds) + "\nimages " + std::to_string(cut.images) + "\nepochs " +
         regimen::detail::text(cut.epochs) + "\n";
}

Cut cut_from(const std::string& text) {
  Cut cut;
  std::istringstream words(text);
  std::string name;
  if (!(words >> name >> cut.seeds >> name >> cut.images >> name >> cut.epochs) || cut.seeds < 1 || cut.epochs <= 0) {
    throw regimen::Error("the results folder's file \"plan\" says no plan:\n" + text);
  }
  return cut;
}
