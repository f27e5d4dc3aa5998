// Bad global minima exist, and SGD can reach them: the experiment of Liu, Papailiopoulos and Achlioptas (NeurIPS 2020)
// on real images, in minutes on two CPU cores; with --paper, the authors' own.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>
#include <regimen/report.hpp>

#include "101-bad-minima-toy/toy.hpp"
#include "kit/image_experiment.hpp"
#include "kit/main.hpp"
#include "kit/pictures.hpp"
#include "kit/tiles.hpp"
#include "options.hpp"
#include "page.hpp"
#include "plan.hpp"
#include "table.hpp"

namespace rg = regimen;

namespace {

class BadMinima : public kit::ImageExperiment<Settings> {
 public:
  BadMinima(const Settings& s, const ex::Task& task)
      : ImageExperiment(s, {.networks = s.models, .width = s.recipe.width, .batch = s.recipe.batch, .task = task},
                        result_names) {}

  [[nodiscard]] ex::Plan plan(const ex::Paces& paces) const override { return plan_of(settings(), counts(), paces); }

  /// Draws images of the confusion set with their labels, the undamaged ones above.
  void begin() override {
    const int copies = settings().recipe.copies.front();
    const rg::Source train = kit::some_of(images(), settings().recipe.images, settings().first_seed);
    const rg::Source confusion = confusion_set(train, copies, settings().first_seed, settings().recipe.zeroed);
    rg::report::Picture picture =
        kit::damage_picture(train, confusion, "confusion set:\npixels zeroed,\nrandom labels", images().names);
    picture.description = "Images of the confusion set, pixels zeroed and labels random, below the undamaged ones.";
    kit::write_picture(picture, "confusion-set", settings().out);
    const torch::Tensor first = torch::arange(std::min<std::int64_t>(64, *confusion.size()));
    rg::TensorBoardFile(settings().out + "/board/confusion-set.tfevents")
        .image("confusion set", 0, rg::image_grid(confusion.get(first).data, /*columns=*/8));
  }

  void train(const std::string& name, ex::Jobs& jobs) override {
    for (const Unit& unit : units_of(settings())) {
      if (unit.name() == name) {
        train(unit, jobs);
      }
    }
  }

  void show(const ex::Results& results) override {
    const std::vector<Group> groups = groups_of(results, settings());
    rg::report::write_file(
        settings().out + "/summary.csv",
        rg::report::csv(kit::summary_of({groups.begin(), groups.end()}, start_words, kit::measures_of(looks()))));
    show_page(groups, settings());
    kit::show_text(report(groups, settings()), settings().out, "results.csv, summary.csv, epochs.csv, manifest.json");
  }

 private:
  using Net = std::shared_ptr<rg::networks::Network>;

  /// Often enough for curves, or only at the end: scoring costs time and changes nothing. Fit alone, which the quick
  /// recipe's stop criteria read, is scored every second epoch. Curves take a part of the test set.
  [[nodiscard]] rg::Scoring scoring(const rg::Source& train, std::uint64_t seed, int epochs) const {
    const bool curves = has_curves(settings(), seed);
    return {.clean = train,
            .test = curves ? rg::limit(images().test, curve_images(settings(), images().test.size())) : rg::Source(),
            .every = curves ? settings().recipe.score_every : std::max(epochs, 1),
            .fit_every = settings().recipe.until_fit ? 2 : 0,
            .batch = evaluation().batch};
  }

  void train(const Unit& unit, ex::Jobs& jobs) const {
    const rg::Source train = kit::some_of(images(), settings().recipe.images, unit.seed);
    torch::manual_seed(unit.seed);
    Net net = network(unit.model);
    execution().prepare(net);
    if (unit.copies > 0) {
      memorize(unit, train, net, jobs);
    }
    const rg::Snapshot start(net);
    int number = 0;
    for (const kit::Subset& set : sets_of(settings())) {
      start.restore();
      run_arm(unit, number++, set, train, net, jobs);
    }
  }

  /// 1. Reach a bad minimum: fit damaged copies of the images under random labels.
  void memorize(const Unit& unit, const rg::Source& train, Net& net, ex::Jobs& jobs) const {
    const Recipe& recipe = settings().recipe;
    const rg::Source confusion = confusion_set(train, unit.copies, unit.seed, settings().recipe.zeroed);
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(recipe.memorize_rate));
    rg::Phase memorize = phase(memorizing, confusion, sgd, recipe.memorize_epochs, 1000 * unit.seed);
    if (!recipe.decay_at.empty()) {
      memorize.lr_scale = rg::StepDecay{recipe.decay_at, 0.1};
    }
    memorize.until = rg::FitReaches{recipe.memorize_fit};
    jobs.run({.name = unit.job(memorizing),
              .phases = {memorize},
              .scoring = scoring(train, unit.seed, recipe.memorize_epochs)},
             net, sgd);
  }

  /// 2. Train on the true labels, from where the network is, with a set of regularizers.
  void run_arm(const Unit& unit, int number, const kit::Subset& set, const rg::Source& train, Net& net,
               ex::Jobs& jobs) const {
    const Recipe& recipe = settings().recipe;
    torch::optim::SGD sgd(net->parameters(),
                          torch::optim::SGDOptions(set.none() ? recipe.vanilla_rate : recipe.escape_rate)
                              .momentum(set.has("momentum") ? recipe.momentum : 0)
                              .weight_decay(set.has("l2") ? recipe.weight_decay : 0));
    const int epochs = set.none() ? recipe.vanilla_epochs : recipe.escape_epochs;
    // Every arm of every seed has random numbers of its own.
    const std::uint64_t seed = 1000 * unit.seed + static_cast<std::uint64_t>(2 * number + (unit.copies == 0 ? 1 : 2));
    rg::Phase arm = phase(set.name, train, sgd, epochs, seed);
    rg::Scoring scored = scoring(train, unit.seed, epochs);
    scored.measures = {
        {"start_cosine", rg::CosineTo{rg::Snapshot(net)}},
        {"log_frobenius", rg::LogFrobeniusProduct{.data = train}},
        {"adaptive_sharpness", rg::AverageSharpness{.data = rg::limit(train, look_images),
                                                    .sigma = 0.1,
                                                    .adaptive = true,
                                                    .draws = {.least = look_draws, .most = look_draws}}}};
    if (set.none() && recipe.until_fit) {
      arm.until = rg::FitReaches{1};
    } else {
      scored.fit_every = 0;  // no criterion reads it
    }
    if (!recipe.decay_at.empty()) {
      arm.lr_scale = rg::StepDecay{recipe.decay_at, 0.1};
    } else if (!set.none()) {
      arm.lr_scale = rg::Cosine{.epochs = static_cast<double>(epochs)};
    }
    if (set.has("augmentation")) {
      arm.augment = {rg::RandomCrop{.padding = recipe.padding > 0 ? recipe.padding : images().padding()},
                     rg::HorizontalFlip{}};
    }
    jobs.run({.name = unit.job(set.name), .phases = {arm}, .scoring = scored, .score = test_score(net)}, net, sgd);
  }
};

void run(Options& options) {
  const ex::Conduct how = settle(options);
  if (options.settings.data.name == "toy") {
    run_toy(options.settings, options.task);
  } else {
    BadMinima experiment(options.settings, options.task);
    ex::conduct(experiment, options.task, how);
  }
}

}  // namespace

int main(int argc, char** argv) {
  return kit::run_program("bad_minima", argc, argv, read_options, run);
}
