#include "groups.hpp"

#include <algorithm>
#include <cmath>

#include <regimen/statistics/mean.hpp>

#include "plan.hpp"

namespace rg = regimen;

namespace {

using Seeds = std::vector<std::uint64_t>;

/// The arm of a network with these regularizers and this seed; null if it is not at its end.
const Arm* find_arm(const Results& results, const Arm& wanted) {
  const auto found = std::find_if(results.arms.begin(), results.arms.end(), [&](const Arm& arm) {
    return arm.model == wanted.model && arm.seed == wanted.seed && arm.copies == wanted.copies &&
           arm.regularizers == wanted.regularizers;
  });
  return found == results.arms.end() ? nullptr : &*found;
}

const Memorized* find_memorized(const Results& results, const Group& group, std::uint64_t seed) {
  const auto found = std::find_if(results.memorized.begin(), results.memorized.end(), [&](const Memorized& each) {
    return each.model == group.model && each.seed == seed && each.copies == group.copies;
  });
  return found == results.memorized.end() ? nullptr : &*found;
}

/// Seeds of which every arm from both starts is at its end. Rows of different seeds would not be comparable.
Seeds complete_seeds(const Results& results, const Settings& settings, const Group& group) {
  Seeds seeds;
  for (int i = 0; i < settings.seeds; ++i) {
    const std::uint64_t seed = settings.first_seed + static_cast<std::uint64_t>(i);
    bool complete = find_memorized(results, group, seed) != nullptr;
    for (const Regularizers& set : sets_of(settings)) {
      for (const int copies : {0, group.copies}) {
        complete = complete && find_arm(results, {group.model, seed, copies, set.name()}) != nullptr;
      }
    }
    if (complete) {
      seeds.push_back(seed);
    }
  }
  return seeds;
}

/// What the arms of one start come to, over the seeds.
struct Side {
  std::vector<double> test{};  ///< percent
  double least_fit = 1;
  double epochs = 0;  ///< mean
  double cosine = 0;  ///< mean
  Seeds diverged{};
};

/// NaN, of a network that diverged before it was scored, counts as nothing fitted.
double fit_of(const rg::History& history) {
  const double fit = history.back().fit.accuracy;
  return std::isnan(fit) ? 0 : fit;
}

Side side_of(const Results& results, const Group& group, int copies, const std::string& regularizers) {
  Side side;
  for (const std::uint64_t seed : group.seeds) {
    const Arm& arm = *find_arm(results, {group.model, seed, copies, regularizers});
    const rg::Epoch& end = arm.history.back();
    side.test.push_back(100 * arm.test.accuracy);
    side.least_fit = std::min(side.least_fit, fit_of(arm.history));
    side.epochs += static_cast<double>(end.clock.epoch);
    side.cosine += start_cosine(end);
    // Weights that became infinite in the last epoch leave its training loss finite.
    if (arm.history.ended() == rg::Ended::diverged || !std::isfinite(arm.test.loss)) {
      side.diverged.push_back(seed);
    }
  }
  const auto n = static_cast<double>(group.seeds.size());
  side.epochs /= n;
  side.cosine /= n;
  return side;
}

Comparison compare(const Results& results, const Group& group, const std::string& regularizers) {
  const Side random = side_of(results, group, 0, regularizers);
  const Side adversarial = side_of(results, group, group.copies, regularizers);
  return {.regularizers = regularizers,
          .random = rg::mean_interval(random.test),
          .adversarial = rg::mean_interval(adversarial.test),
          .hole = rg::paired_difference(random.test, adversarial.test),
          .random_fit = random.least_fit,
          .adversarial_fit = adversarial.least_fit,
          .random_epochs = random.epochs,
          .adversarial_epochs = adversarial.epochs,
          .random_cosine = random.cosine,
          .adversarial_cosine = adversarial.cosine,
          .random_diverged = random.diverged,
          .adversarial_diverged = adversarial.diverged};
}

/// Images of a seed's training set, as the scores of its training on random labels counted them.
std::int64_t images_of(const Memorized& memorized) {
  for (const rg::Epoch& epoch : memorized.history) {
    if (epoch.fit.scored()) {
      return epoch.fit.samples / memorized.copies;
    }
  }
  return 0;
}

}  // namespace

double start_cosine(const rg::Epoch& epoch) {
  const auto found = epoch.measures.find("start_cosine");
  return found == epoch.measures.end() ? rg::unknown : found->second;
}

std::vector<Group> groups_of(const Results& results, const Settings& settings) {
  std::vector<Group> groups;
  for (const std::string& model : settings.models) {
    for (const int copies : settings.recipe.copies) {
      Group group{.model = model, .copies = copies, .enough_fit = settings.recipe.memorize_fit};
      group.seeds = complete_seeds(results, settings, group);
      if (group.seeds.empty()) {
        continue;
      }
      for (const std::uint64_t seed : group.seeds) {
        const Memorized& memorized = *find_memorized(results, group, seed);
        group.memorized_fit = std::min(group.memorized_fit, fit_of(memorized.history));
        group.images = std::max(group.images, images_of(memorized));
      }
      for (const Regularizers& set : sets_of(settings)) {
        group.comparisons.push_back(compare(results, group, set.name()));
      }
      groups.push_back(group);
    }
  }
  return groups;
}
