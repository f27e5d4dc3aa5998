// What kind of minimum is it: networks that fit their labels alike, from random and from adversarial starting points,
// with and without regularizers, under all the measures of the library; which of them tell the bad ones.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>
#include <regimen/report.hpp>

#include "kit/check_once.hpp"
#include "kit/image_experiment.hpp"
#include "kit/image_options.hpp"
#include "kit/main.hpp"
#include "kit/options.hpp"
#include "landscape.hpp"
#include "page.hpp"
#include "ranking.hpp"
#include "settings.hpp"

namespace {

struct Options : kit::Options<WhichSettings> {
  bool audit = false;
};

class WhichMinimum : public kit::ImageExperiment<WhichSettings> {
 public:
  WhichMinimum(const WhichSettings& s, const ex::Task& task)
      : ImageExperiment(s, {.networks = {s.model}, .width = s.width, .batch = s.batch, .task = task},
                        {"table.txt", "ranking.csv", "rates.csv", "landscape.svg", "line.csv", "density.csv"}) {}

  [[nodiscard]] ex::Plan plan(const ex::Paces& paces) const override {
    const WhichSettings& s = settings();
    const auto n = static_cast<double>(s.images), test = static_cast<double>(counts().test);
    const auto cost = [&](double epochs, double images, double at_end) {
      return ex::cost(
          ex::shown({.epochs = epochs, .images = images, .each_point = 0, .every = epochs, .at_end = at_end}), s.model,
          paces);
    };
    ex::Plan plan;
    for (const Recipe& recipe : recipes_of(s)) {
      ex::Unit unit{.name = recipe.unit()};
      // Epochs until the labels are fitted, and the time of all measures in images scored, as they were seen.
      const double measures =
          100 * n + 55.0 * s.draws * static_cast<double>(s.some) + 600.0 * static_cast<double>(s.few);
      unit.jobs.push_back({.name = recipe.job("memorize"),
                           .kind = "memorize",
                           .cost = cost(30, 2 * n, 0),
                           .factors = recipe.factors("none", "random labels")});
      for (const Minimum& minimum : minima_of(recipe)) {
        const double epochs = minimum.regularized ? s.escape_epochs : 12;
        unit.jobs.push_back({.name = minimum.job(),
                             .kind = minimum.arm(),
                             .cost = cost(epochs, n, test + measures),
                             .factors = minimum.factors(),
                             .scored = true});
      }
      plan.push_back(unit);
    }
    return plan;
  }

  void train(const std::string& unit, ex::Jobs& jobs) override {
    for (const Recipe& recipe : recipes_of(settings())) {
      if (recipe.unit() == unit) {
        train(recipe, jobs);
      }
    }
  }

  /// Prints which measures see the hole, and how the ranking changes with the learning rate.
  void show(const ex::Results& results) override {
    ex::Results minima;
    for (const ex::Result& result : results) {
      if (result.has_score) {
        minima.add(with_references(result));
      }
    }
    if (minima.empty()) {
      return;
    }
    const std::vector<Ranked> ranking = ranked(minima);
    const rg::report::Table by_tau = ranking_table(ranking);
    const rg::report::Table by_rate = rates_table(ranking, detail::values_of(minima, "rate"));
    const std::string text = hole_text(minima) + "\n" + rg::report::terminal(by_tau) +
                             verdicts_text(ranking, static_cast<int>(detail::values_of(minima, "seed").size())) + "\n" +
                             rg::report::terminal(by_rate);
    ex::write_file(settings().out + "/table.txt", text);
    ex::write_file(settings().out + "/ranking.csv", rg::report::csv(by_tau));
    ex::write_file(settings().out + "/rates.csv", rg::report::csv(by_rate));
    show_page(hole_text(minima), ranking, by_tau, by_rate, settings());
    std::printf("\n%s\n%zu minima. Everything: %s/results.csv, ranking.csv, rates.csv, landscape.svg, manifest.json\n",
                text.c_str(), minima.size(), settings().out.c_str());
  }

 private:
  void train(const Recipe& recipe, ex::Jobs& jobs) const {
    const WhichSettings& s = settings();
    const rg::Source train = kit::some_of(images(), s.images, recipe.seed);
    torch::manual_seed(recipe.seed);
    auto net = network(s.model);
    execution().prepare(net);
    const rg::Snapshot fresh(net);
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(s.memorize_rate));
    rg::Phase memorize = phase("memorize", confusion_set(train, 2, recipe.seed), sgd, 80, 1000 * recipe.seed);
    memorize.until = rg::FitReaches{0.999};
    jobs.run({.name = recipe.job("memorize"), .phases = {memorize}, .scoring = {.every = 80, .fit_every = 2}}, net,
             sgd);
    const rg::Snapshot adversarial(net);
    std::optional<rg::Snapshot> good;
    for (const Minimum& minimum : minima_of(recipe)) {
      (minimum.adversarial ? adversarial : fresh).restore();
      reach(minimum, train, fresh, good, net, jobs);
      if (!good) {
        good.emplace(net);
      }
    }
  }

  /// Trains on the true labels, and takes the measures at the end. `good`: the first minimum of the recipe.
  void reach(const Minimum& minimum, const rg::Source& train, const rg::Snapshot& fresh,
             const std::optional<rg::Snapshot>& good, std::shared_ptr<rg::networks::Network>& net,
             ex::Jobs& jobs) const {
    const WhichSettings& s = settings();
    const double rate = (minimum.regularized ? s.escape_rate : s.vanilla_rate) * minimum.recipe.rate / 100;
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(rate)
                                                 .momentum(minimum.regularized ? 0.9 : 0)
                                                 .weight_decay(minimum.regularized ? 1e-3 : 0));
    const int epochs = minimum.regularized ? s.escape_epochs : s.vanilla_epochs;
    rg::Phase arm =
        phase(minimum.arm(), train, sgd, epochs, 1000 * minimum.recipe.seed + (minimum.regularized ? 2 : 1));
    if (minimum.regularized) {
      arm.lr_scale = rg::Cosine{.epochs = static_cast<double>(epochs)};
      arm.augment = images().augmentation();
    } else {
      arm.until = rg::FitReaches{1};
    }
    const rg::Source some = rg::limit(train, s.some);
    const rg::Scoring scoring{
        .every = epochs,
        .fit_every = minimum.regularized ? 0 : 1,
        .measures = kit::minimum_measures(
            {.train = train, .some = some, .few = rg::limit(train, s.few), .start = fresh, .draws = s.draws}),
        .batch = evaluation().batch};
    // The picture is there before the score, which marks the job as done.
    const auto score = [&] {
      if (minimum.recipe.is_first(s) && minimum.number() == 1) {
        rg::Probe probe(net);
        probe.how = evaluation();
        const Landscape between{probe, *good, rg::Snapshot(net), train, some, rg::limit(images().test, 2000)};
        between.write_line(s.out);
        between.write_densities(s.out);
      }
      return rg::evaluate(net, images().test, evaluation());
    };
    jobs.run({.name = minimum.job(), .phases = {arm}, .scoring = scoring, .score = score}, net, sgd);
  }
};

Options read_options(int argc, char** argv) {
  Options options;
  WhichSettings& s = options.settings;
  CLI::App app("Which measures tell bad minima from good ones?");
  kit::take_last(app);
  kit::add_images(app, s, "number of seeds; 5 give 40 minima");
  const kit::OptionGroup add{app};
  add("--width", s.width, kit::at_least_1(), "channels of the pooled network's first block");
  add("--some", s.some, kit::at_least_1(), "images of them for measures that take dozens of backward passes");
  add("--few", s.few, kit::at_least_1(), "images of them for measures that take hundreds");
  add("--draws", s.draws, kit::bound("must be at least 2", [](double x) { return x >= 2; }),
      "random draws of a measure at most");
  add("--escape-epochs", s.escape_epochs, kit::at_least_1(), "epochs with all three regularizers");
  kit::add_list(app, "--rates", s.rates, "learning rates, in percent of each recipe's own")->check(CLI::Range(1, 1000));
  app.add_flag("--audit", options.audit, "the rates 80 and 125 as well: does the ranking hold?");
  kit::add_task(app, options.task, "fewer images, then fewer seeds, so that all of it takes about so long: 540, 9m");
  kit::add_from(app, options.task);
  kit::parse(app, argc, argv, options.task);
  return options;
}

void run(Options& options) {
  WhichSettings& s = options.settings;
  if (options.audit) {
    s.rates.insert(s.rates.end(), {80, 125});
  }
  kit::check_once("--rates must have each number", s.rates);
  ex::Conduct how = kit::settle(s.machine, s.data, static_cast<int>(recipes_of(s).size()), s.seeds, options.task);
  how.ends_by_itself = true;
  WhichMinimum experiment(s, options.task);
  ex::conduct(experiment, options.task, how);
}

}  // namespace

int main(int argc, char** argv) {
  return kit::run_program("which_minimum", argc, argv, read_options, run);
}
