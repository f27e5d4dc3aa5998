#include "report.hpp"

#include <algorithm>
#include <cmath>

#include <regimen/report/table.hpp>
#include <regimen/report/terminal.hpp>

#include "format.hpp"

namespace rg = regimen;

namespace {

/// " (95 % interval 1.2 to 3.4)"; empty for a single seed.
std::string interval_in_words(const rg::Interval& value) {
  return value.n < 2 ? "" : format(" (95 %% interval %.1f to %.1f)", value.low(), value.high());
}

std::string cosine(double value) {
  return std::isnan(value) ? "-" : format("%.2f", value);
}

/// An interval, or why there is none.
rg::report::Cell cell(const rg::Interval& value, bool diverged) {
  return diverged ? rg::report::Cell(rg::report::Missing{"diverged"}) : value;
}

std::string head(const Group& group, const Settings& settings) {
  const Recipe& recipe = settings.recipe;
  const std::int64_t most = group.images > 0 ? group.images : recipe.images;
  const std::string images =
      recipe.images == 0 ? "all images" : format("%lld images", static_cast<long long>(std::min(recipe.images, most)));
  const auto n = static_cast<int>(group.seeds.size());
  const std::string seeds = (n < settings.seeds ? std::to_string(n) + " of " : "") + std::to_string(settings.seeds) +
                            (settings.seeds == 1 ? " seed" : " seeds");
  return format("%s, %s, confusion set: %s x %d %s, %.0f %% of the pixels zeroed, random labels: %.2f %% fitted",
                group.model.c_str(), seeds.c_str(), images.c_str(), group.copies, group.copies == 1 ? "copy" : "copies",
                100 * recipe.zeroed, 100 * group.memorized_fit);
}

rg::report::Table table(const Group& group, const Settings& settings) {
  const auto interval = [](const char* name) {
    return rg::report::Column{
        .name = name, .kind = rg::report::Kind::interval, .align = rg::report::Align::left, .width = 17};
  };
  rg::report::Table result({{.key = "regularizers", .width = 28},
                            interval("test, random"),
                            interval("test, adversarial"),
                            interval("hole (points)"),
                            {.name = "training labels", .width = 17},
                            {.name = "start left  epochs"}},
                           head(group, settings));
  for (const Comparison& c : group.comparisons) {
    result.add({c.regularizers, cell(c.random, !c.random_diverged.empty()),
                cell(c.adversarial, !c.adversarial_diverged.empty()),
                group.all_fitted() ? cell(c.hole, c.diverged()) : rg::report::Missing{"not reported"},
                format("%6.2f %6.2f %%", 100 * c.random_fit, 100 * c.adversarial_fit),
                format("%s %s   %.0f %.0f", cosine(c.random_cosine).c_str(), cosine(c.adversarial_cosine).c_str(),
                       c.random_epochs, c.adversarial_epochs)});
  }
  return result;
}

/// "Diverged: vanilla from the random start with seed 1, 2." A line for each start and set of regularizers.
std::string diverged_arms(const Group& group) {
  std::string text;
  const auto add = [&](const Comparison& c, const char* start, const std::vector<std::uint64_t>& seeds) {
    std::string list;
    for (const std::uint64_t seed : seeds) {
      list += (list.empty() ? "" : ", ") + std::to_string(seed);
    }
    text +=
        list.empty() ? "" : "Diverged: " + c.regularizers + " from the " + start + " start with seed " + list + ".\n";
  };
  for (const Comparison& c : group.comparisons) {
    add(c, "random", c.random_diverged);
    add(c, "adversarial", c.adversarial_diverged);
  }
  return text;
}

const Comparison* find(const std::vector<Comparison>& comparisons, const std::string& regularizers) {
  const auto found = std::find_if(comparisons.begin(), comparisons.end(),
                                  [&](const Comparison& c) { return c.regularizers == regularizers; });
  return found == comparisons.end() ? nullptr : &*found;
}

/// How far above vanilla SGD from random weights both starts end with all three.
std::string margins(const Comparison& vanilla, const Comparison& all) {
  const double random = all.random.mean - vanilla.random.mean;
  const double adversarial = all.adversarial.mean - vanilla.random.mean;
  const char* const where = std::min(random, adversarial) > 0 ? "both end above" : "they do NOT both end above";
  return format(
      "On average %s vanilla SGD from random: the random start by %.1f points, the adversarial start by %.1f.\n", where,
      random, adversarial);
}

/// The answer in a sentence or two.
std::string answer(const Group& group) {
  if (!group.all_fitted()) {
    return format(
        "The random labels were not fitted (%.2f %% at least): the starting point is no adversarial one, and no hole "
        "is reported. Give it more epochs (--memorize-epochs).\n",
        100 * group.memorized_fit);
  }
  const Comparison* const vanilla = find(group.comparisons, "vanilla");
  const Comparison* const all = find(group.comparisons, "all three");
  if (vanilla == nullptr || all == nullptr) {
    return "";
  }
  if (vanilla->diverged() || all->diverged()) {
    return "Arms diverged, so there is no answer: try a lower --vanilla-rate or --escape-rate.\n";
  }
  const bool fits = vanilla->random_fit >= 1 && vanilla->adversarial_fit >= 1;
  return format(
             "From the adversarial start vanilla SGD ends %.1f points%s below the random start on the test set%s; with "
             "augmentation, l2 and momentum the difference is %.1f points%s. ",
             vanilla->hole.mean, interval_in_words(vanilla->hole).c_str(),
             fits ? ", though both fit every training label" : " (but not every arm fits all its labels)",
             all->hole.mean, interval_in_words(all->hole).c_str()) +
         margins(*vanilla, *all);
}

}  // namespace

std::string report(const std::vector<Group>& groups, const Settings& settings) {
  std::string text;
  for (const Group& group : groups) {
    text += "\n" + rg::report::terminal(table(group, settings), {.width = 0, .gap = 1});
    const std::string diverged = diverged_arms(group);
    text += diverged.empty() ? "" : "\n" + diverged;
    const std::string sentence = answer(group);
    text += sentence.empty() ? "" : "\n" + sentence;
  }
  if (groups.empty()) {
    return "\nNo seed has all its arms from both starts yet, so there is nothing to compare.\n";
  }
  text += "\nTest accuracy in percent; +- is a Student-t 95 % interval, the hole's paired by seed.\n";
  text += "Training labels: the least share that any seed fits, random and adversarial start.\n";
  text +=
      "Start left: cosine of the weights at the end and at the start, mean of the seeds: 1 where they have stayed.\n";
  text += settings.recipe.until_fit
              ? "Vanilla arms run until they fit 100 % of their labels (or their epochs are up), all others the same "
                "number of steps.\n"
              : "All arms run the same number of steps.\n";
  return text;
}
