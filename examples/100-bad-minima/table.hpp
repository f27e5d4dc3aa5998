#pragma once
// No LibTorch.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <regimen/report/terminal.hpp>

#include "kit/comparison.hpp"
#include "kit/format.hpp"
#include "kit/looks.hpp"
#include "plan.hpp"

/// Everything that one network and one R came to: a row for each set of regularizers, from random weights and from
/// random labels.
struct Group : kit::Comparisons {
  int copies = 0;
  ex::OverSeeds memorized{};  ///< the trainings on random labels
};

inline const kit::Words start_words{
    .rows = "regularizers", .a = "random", .b = "adversarial", .both = "start", .lost = "hole"};

/// One group for each network and R that has a complete seed, in the order of the settings. A start is adversarial if
/// the random labels were fitted; else nothing is said of what it loses.
inline std::vector<Group> groups_of(const ex::Results& results, const Settings& settings) {
  std::vector<std::string> sets;
  for (const kit::Subset& set : sets_of(settings)) {
    sets.push_back(set.name);
  }
  std::vector<Group> groups;
  for (const std::string& model : settings.models) {
    for (const int copies : settings.recipe.copies) {
      const std::string r = std::to_string(copies);
      const ex::Results memorized = results.where({{"model", model}, {"copies", r}, {"regularizers", memorizing}});
      Group group{kit::comparisons_of(results.where({{"model", model}, {"copies", "0"}}),
                                      results.where({{"model", model}, {"copies", r}}), "regularizers", sets,
                                      {memorized})};
      if (!group.rows.empty()) {
        group.factors = {{"model", model}, {"copies", r}};
        group.copies = copies;
        group.memorized = ex::over_seeds(ex::of_seeds(memorized, group.seeds));
        group.says_lost = group.memorized.least_fit >= settings.recipe.memorize_fit;
        groups.push_back(group);
      }
    }
  }
  return groups;
}

/// Images of a seed's training set, as the last scores on random labels counted them; 0: none was scored.
inline std::int64_t images_of(const Group& group) {
  std::int64_t samples = 0;
  for (const ex::Result& memorized : group.memorized.results) {
    samples = std::max(samples, memorized.history.back().fit.samples);
  }
  return samples / group.copies;
}

inline std::string title_of(const Group& group, const Settings& settings) {
  const std::string images =
      settings.recipe.images == 0
          ? "all images"
          : kit::format("%lld images",
                        static_cast<long long>(images_of(group) > 0 ? images_of(group) : settings.recipe.images));
  const auto n = static_cast<int>(group.seeds.size());
  const std::string seeds = (n < settings.seeds ? std::to_string(n) + " of " : "") + std::to_string(settings.seeds) +
                            (settings.seeds == 1 ? " seed" : " seeds");
  return kit::format("%s, %s, confusion set: %s x %d %s, %.0f %% of the pixels zeroed, random labels: %.2f %% fitted",
                     group.factors[0].second.c_str(), seeds.c_str(), images.c_str(), group.copies,
                     group.copies == 1 ? "copy" : "copies", 100 * settings.recipe.zeroed,
                     100 * group.memorized.least_fit);
}

/// How far the weights have gone, and two measures that tell every bad minimum of vanilla SGD in
/// examples/120-which-minimum: a norm and a sharpness that cost little.
inline std::vector<kit::Look> looks() {
  return {{"start_cosine", "start left"},
          {"log_frobenius", "log norms", 1, true},
          {"adaptive_sharpness_value", "adaptive sharpness", 3, true}};
}

/// The last column: for how many epochs the networks were trained.
inline kit::MoreColumn epochs_column() {
  return {{.name = "epochs"},
          [](const kit::Comparison& row) { return kit::format("%.0f %.0f", row.a.epochs, row.b.epochs); }};
}

/// The answer in a sentence or two.
inline std::string answer(const Group& group) {
  if (!group.says_lost) {
    return kit::format(
        "The random labels were not fitted (%.2f %% at least): the starting point is no adversarial one, and no hole "
        "is reported. Give it more epochs (--memorize-epochs).\n",
        100 * group.memorized.least_fit);
  }
  const kit::Comparison &vanilla = group.rows.front(), &all = group.rows.back();
  if (vanilla.diverged() || all.diverged()) {
    return "Arms diverged, so there is no answer: try a lower --vanilla-rate or --escape-rate.\n";
  }
  const bool fits = vanilla.a.least_fit >= 1 && vanilla.b.least_fit >= 1;
  const double random = all.a.mean_accuracy.mean - vanilla.a.mean_accuracy.mean;
  const double adversarial = all.b.mean_accuracy.mean - vanilla.a.mean_accuracy.mean;
  return kit::format(
             "From the adversarial start vanilla SGD ends %.1f points%s below the random start on the test set%s; with "
             "augmentation, l2 and momentum the difference is %.1f points%s. ",
             vanilla.lost.mean, kit::interval_in_words(vanilla.lost).c_str(),
             fits ? ", though both fit every training label" : " (but not every arm fits all its labels)",
             all.lost.mean, kit::interval_in_words(all.lost).c_str()) +
         kit::format(
             "On average %s vanilla SGD from random: the random start by %.1f points, the adversarial start by "
             "%.1f.\n",
             std::min(random, adversarial) > 0 ? "both end above" : "they do NOT both end above", random, adversarial);
}

/// The tables that end the program, for a terminal, each with the answer in one sentence.
inline std::string report(const std::vector<Group>& groups, const Settings& settings) {
  std::string text;
  for (const Group& group : groups) {
    text += "\n" +
            regimen::report::terminal(kit::table_of(group, start_words, title_of(group, settings), {epochs_column()}),
                                      {.width = 0, .gap = 1});
    text += "\n" + regimen::report::terminal(kit::looks_table(group, start_words, looks()), {.width = 0, .gap = 1});
    const std::string diverged = kit::diverged_arms(group, start_words);
    text += (diverged.empty() ? "" : "\n" + diverged) + "\n" + answer(group);
  }
  if (groups.empty()) {
    return "\nNo seed has all its arms from both starts yet, so there is nothing to compare.\n";
  }
  return text + "\nTest accuracy in percent; +- is a Student-t 95 % interval, the hole's paired by seed.\n" +
         "Training labels: the least share that any seed fits, random and adversarial start.\n" +
         "Start left: cosine of the weights at the end and at the start, mean of the seeds: 1 where they have "
         "stayed.\n"
         "Log norms: log of the product of the layers' squared Frobenius norms; adaptive sharpness: the loss gained "
         "under noise of a tenth of each weight.\n"
         "Both need no test set: means of the seeds, random and adversarial start, and in how many seeds the "
         "adversarial one has more.\n" +
         (settings.recipe.until_fit
              ? "Vanilla arms run until they fit 100 % of their labels (or their epochs are up), all others the same "
                "number of steps.\n"
              : "All arms run the same number of steps.\n");
}
