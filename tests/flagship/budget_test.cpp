#include "kit/cut.hpp"

#include <string>
#include <vector>

#include <regimen/base.hpp>

#include "100-bad-minima/plan.hpp"
#include "support/numbers.hpp"

using kit::Cut;
using kit::cut_of;
using kit::Fitted;
using kit::in_words;
using kit::text_of;
using regimen::experiment::Chain;
using regimen::experiment::Paces;
using regimen::experiment::seconds_of;
using regimen::experiment::Task;

namespace {

const kit::ImageCounts fashion{.train = 60'000, .test = 10'000};

/// The default experiment on a machine with so many cores.
Settings default_settings(int cores) {
  Settings settings;
  settings.seeds = 5;
  settings.machine.device = "cpu";
  settings.machine.precision = "fp32";
  settings.machine.workers = cores;
  settings.machine.threads = 1;
  return settings;
}

Paces pace(double images_a_second) {
  return {{"pooled", {.training = images_a_second, .scoring = 3 * images_a_second}}};
}

/// Seconds that the experiment takes with a cut.
kit::Estimate estimate(const Settings& settings, const kit::ImageCounts& counts, const Paces& paces) {
  return [=](const Cut& cut) {
    return seconds_of(plan_of(kit::applied(cut, settings), counts, paces), settings.machine.workers);
  };
}

double whole_seconds(const Settings& settings, const kit::ImageCounts& counts, const Paces& paces) {
  return seconds_of(plan_of(settings, counts, paces), settings.machine.workers);
}

Fitted fit_to(double seconds, const Settings& settings, const kit::ImageCounts& counts, const Paces& paces) {
  return kit::fit_to(seconds, kit::whole_of(settings, counts), estimate(settings, counts, paces));
}

Fitted fit_to_budget(const Task& task, double passed, const Settings& settings, const kit::ImageCounts& counts,
                     const Paces& paces) {
  return kit::fit_to_budget(task, passed, kit::whole_of(settings, counts), estimate(settings, counts, paces));
}

Task budget(double seconds, bool must_fit) {
  Task task;
  task.budget = seconds;
  task.must_fit = must_fit;
  return task;
}

}  // namespace

TEST_CASE("plan: an ablation has every set of its parts, in the order of their bits") {
  std::vector<std::string> names;
  for (const kit::Subset& set : kit::subsets({"a", "b", "c"}, "none", "all", false)) {
    names.push_back(set.name);
  }
  CHECK(names == std::vector<std::string>{"none", "a", "b", "a + b", "c", "a + c", "b + c", "all"});
  const std::vector<kit::Subset> ends = kit::subsets({"a", "b", "c"}, "none", "all", true);
  REQUIRE(ends.size() == 2);
  CHECK(ends[0].none());
  CHECK(ends[1].has("b"));
  CHECK_FALSE(ends[1].has("d"));
}

TEST_CASE("plan: a cut names what it changes, and comes back from its file") {
  const Settings settings = default_settings(1);
  const Cut whole{.seeds = 5, .images = 1500};
  CHECK(in_words(whole, kit::whole_of(settings, kit::ImageCounts{})).empty());
  const Cut cut{.seeds = 3, .images = 704, .epochs = 0.125};
  CHECK(in_words(cut, kit::whole_of(settings, kit::ImageCounts{}))
            .rfind("3 seeds instead of 5, 704 images instead of 1500, all phases shortened", 0) == 0);
  CHECK(text_of(cut_of(text_of(cut), {})) == text_of(cut));
  CHECK_THROWS_AS(cut_of("seeds of doubt", {}), regimen::Error);
}

TEST_CASE("plan: a cut applies to seeds, images and every number of epochs, at least one") {
  Settings settings = default_settings(1);
  settings.recipe = paper_recipe();
  const Settings half = kit::applied({.seeds = 2, .images = 100, .epochs = 0.5}, settings);
  CHECK(half.seeds == 2);
  CHECK(half.recipe.images == 100);
  CHECK(half.recipe.memorize_epochs == 175);
  CHECK(half.recipe.decay_at == std::vector<int>{75, 125});
  CHECK(kit::applied({.seeds = 2, .images = 100, .epochs = 1e-9}, settings).recipe.vanilla_epochs == 1);
}

TEST_CASE("budget: 64 cores train the whole default experiment") {
  const Fitted fitted = fit_to_budget(budget(480, false), 3, default_settings(10), fashion, pace(4000));
  CHECK(fitted.fits);
  CHECK(in_words(fitted.cut, kit::whole_of(default_settings(10), fashion)).empty());
  CHECK(sentence_of(fitted, kit::whole_of(default_settings(10), fashion), 480) ==
        "The whole experiment fits into 8 min 00 s.");
}

TEST_CASE("budget: a core that is too slow gives up images first, then seeds") {
  const Settings settings = default_settings(1);
  const double whole = whole_seconds(settings, fashion, pace(4000));
  const Fitted fewer_images = fit_to(0.85 * whole, settings, fashion, pace(4000));
  CHECK(fewer_images.fits);
  CHECK(fewer_images.cut.seeds == 5);
  CHECK(fewer_images.cut.images < 1500);
  CHECK(fewer_images.cut.images % settings.recipe.batch == 0);
  const Fitted fewer_seeds = fit_to(0.5 * whole, settings, fashion, pace(4000));
  CHECK(fewer_seeds.fits);
  CHECK(fewer_seeds.cut.seeds < 5);
  CHECK(fewer_seeds.cut.images == 704);
  CHECK(fewer_seeds.seconds <= 0.5 * whole);
}

TEST_CASE("budget: the smallest that does not fit says so, and never that it fits") {
  const Settings settings = default_settings(1);
  const Fitted fitted = fit_to_budget(budget(480, false), 3, settings, fashion, pace(50));
  CHECK_FALSE(fitted.fits);
  CHECK(fitted.cut.seeds == 3);
  const std::string said = sentence_of(fitted, kit::whole_of(settings, fashion), 480);
  CHECK(said.rfind("Even the smallest experiment, 3 seeds instead of 5, 704 images instead of 1500, takes about ", 0) ==
        0);
  CHECK(said.find(", more than 8 min 00 s. The intervals may be too wide for an answer.") != std::string::npos);
  CHECK(planned_before(fitted.cut, kit::whole_of(settings, fashion)) ==
        "As planned before: 3 seeds instead of 5, 704 images instead of 1500. The intervals may be too wide for an "
        "answer.");
}

TEST_CASE("budget: the error of one that must fit names one that works") {
  const Settings settings = default_settings(1);
  std::string said;
  try {
    (void)fit_to_budget(budget(10, true), 3, settings, fashion, pace(4000));
  } catch (const regimen::Error& error) {
    said = error.what();
  }
  REQUIRE(said.rfind("--budget must be at least about ", 0) == 0);
  const double named = std::stod(said.substr(std::string("--budget must be at least about ").size()));
  CHECK(fit_to_budget(budget(named, true), 3, settings, fashion, pace(4000)).fits);
  CHECK_THROWS_AS(fit_to_budget(budget(0.8 * named, true), 3, settings, fashion, pace(4000)), regimen::Error);
}

TEST_CASE("budget: no cut is larger than the whole, and none is told of images that are not there") {
  Settings settings = default_settings(1);
  settings.recipe.images = 16;
  const Fitted few = fit_to(0, settings, fashion, pace(4000));
  CHECK(few.cut.images == 16);
  settings.recipe.images = 5000;
  const kit::ImageCounts small{.train = 400, .test = 300};
  const Fitted fitted = fit_to(0, settings, small, pace(4000));
  CHECK(sentence_of(fitted, kit::whole_of(settings, small), 1).find("192 images instead of 400") != std::string::npos);
  settings.recipe.images = 16;
  settings.seeds = 1;
  CHECK(sentence_of(fit_to(0, settings, fashion, pace(4000)), kit::whole_of(settings, fashion), 1)
            .rfind("The experiment takes about", 0) == 0);
}

TEST_CASE("budget: phases of fixed length are shortened by one factor") {
  Settings settings = default_settings(1);
  settings.recipe = paper_recipe();
  const double whole = whole_seconds(settings, fashion, pace(4000));
  const Fitted fitted = fit_to(whole / 10, settings, fashion, pace(4000));
  CHECK(fitted.fits);
  CHECK(fitted.cut.epochs < 0.12);
  CHECK(fitted.cut.epochs > 0.05);
  CHECK(fitted.cut.seeds == 5);
  CHECK_FALSE(fit_to(1, settings, fashion, pace(4000)).fits);
}

TEST_CASE("estimate: a unit without jobs costs nothing, others cost a start and their jobs") {
  CHECK(seconds_of(Chain{}) == 0);
  CHECK(seconds_of(Chain{{"a", "kind", 10}}) > 10);
  const Chain one{{"a", "kind", 10}};
  CHECK(seconds_of(std::vector<Chain>{one, one}, 2) == seconds_of(one));
  CHECK(seconds_of(std::vector<Chain>{one, one}, 1) == 2 * seconds_of(one));
}
