#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include <regimen/experiment/conduct.hpp>
#include <regimen/networks.hpp>

#include "101-bad-minima-toy/toy.hpp"
#include "kit/machine.hpp"
#include "kit/main.hpp"
#include "kit/networks.hpp"
#include "kit/options.hpp"
#include "plan.hpp"

using Options = kit::Options<Settings>;

/// Which recipe the defaults are of, where it is not --paper's.
struct Recipes {
  bool full = false;
  bool grid = false;
};

inline void add_what(CLI::App& app, Settings& s, Recipes& recipes) {
  kit::add_data(app, s.data, {"toy"});
  kit::add_list(app, "--model", s.models, "pooled, resnet18, resnet50, vgg16 or densenet40")
      ->check(CLI::IsMember(kit::network_names()));
  app.add_option("--out", s.out, "folder of the results")->capture_default_str();
  app.add_flag("--ablation", s.ablation, "all eight sets of augmentation, l2 and momentum");
  auto* const full = app.add_flag("--full", recipes.full,
                                  "the larger experiment: 2,000 images of 28 x 28 pixels, width 32; some 20 minutes");
  auto* const paper = app.add_flag("--paper", s.paper,
                                   "the authors' recipe: all images, batch 128, 350 epochs a phase, rate 0.1 falling "
                                   "after 150 and 250; of the toy 100,000 epochs");
  auto* const grid = app.add_flag(
      "--grid", recipes.grid, "the paper's grid: --paper --ablation --copies 1,5,10, all four networks, five seeds");
  full->excludes(paper)->excludes(grid);
  app.add_option("--seeds", s.seeds, "number of seeds (default: 5; 1 with --paper)")->check(kit::at_least_1());
  app.add_option("--first-seed", s.first_seed, "the first of them")->capture_default_str();
  kit::add_machine(app, s.machine, "1; with --paper the processors shared out");
}

inline void add_recipe(CLI::App& app, Recipe& r, std::int64_t& side) {
  const kit::OptionGroup add{app, "The experiment (defaults: those of the recipe that is chosen)"};
  const CLI::Validator width =
      kit::bound("0 or in [2, 1024]", [](double x) { return x == 0 || (x >= 2 && x <= 1024); });
  add("--images", r.images, kit::at_least_0(), "training images, 0: all");
  add("--side", side, width,
      "width and height that images are shrunk to, in pixels, 0: as they are (Restricted ImageNet: 64)");
  add("--width", r.width, kit::at_least_1(), "channels of the pooled network's first block");
  kit::add_list(app, "--copies", r.copies, "R: copies of each image in the confusion set")
      ->check(kit::at_least_1())
      ->group(add.name);
  add("--zeroed", r.zeroed, kit::share(), "N: share of each copy's pixels that are zeroed, in [0, 1]");
  add("--batch", r.batch, kit::at_least_1(), "images a step");
  add("--memorize-rate", r.memorize_rate, kit::at_least_0(), "learning rate on random labels");
  add("--memorize-epochs", r.memorize_epochs, kit::at_least_1(), "at most so many epochs on random labels");
  add("--memorize-fit", r.memorize_fit, kit::some_share(), "share of them, in (0, 1], that is enough, and ends it");
  add("--vanilla-rate", r.vanilla_rate, kit::at_least_0(), "learning rate of vanilla SGD on true labels");
  add("--vanilla-epochs", r.vanilla_epochs, kit::at_least_1(),
      "at most so many epochs of vanilla SGD; without --paper ends at 100 % fit");
  add("--escape-rate", r.escape_rate, kit::at_least_0(),
      "learning rate with regularizers; without --paper to 0 along a cosine");
  add("--escape-epochs", r.escape_epochs, kit::at_least_1(), "epochs with regularizers");
  add("--momentum", r.momentum, kit::below_1(), "momentum of SGD where it is on, in [0, 1)");
  add("--weight-decay", r.weight_decay, kit::at_least_0(), "l2 strength where it is on");
  add("--padding", r.padding, kit::bound("in [0, 1024]", [](double x) { return x >= 0 && x <= 1024; }),
      "random crop, in pixels; 0: an eighth of the side");
  add("--score-every", r.score_every, kit::at_least_1(), "epochs between the points of the curves");
  add("--score-images", r.score_images, kit::at_least_0(),
      "test images at these points, 0: all, as at every training's end");
}

inline void add_all(CLI::App& app, Options& options, Recipes& recipes) {
  kit::take_last(app);
  add_what(app, options.settings, recipes);
  kit::add_task(app, options.task,
                "make the experiment so small that all of it takes about so long, 540, 540s, 9m or 1h, 0: no limit. "
                "Fewer images, down to half, then fewer seeds, down to 3; with --paper all phases are shortened alike. "
                "Default: 8m of the default experiment, at its smallest if need be; else 0");
  kit::add_from(app, options.task);
  add_recipe(app, options.settings.recipe, options.settings.data.side);
}

/// The defaults: those of the recipe that the command line chooses, so that --help shows them.
inline Settings defaults(int argc, char** argv) {
  Options chosen;
  Recipes recipes;
  kit::read_first(argc, argv, [&](CLI::App& app) { add_all(app, chosen, recipes); });
  Settings settings;
  const std::string& data = chosen.settings.data.name;
  if (data != "toy" && (recipes.grid || chosen.settings.paper)) {
    settings.paper = true;
    settings.recipe = paper_recipe();
    settings.models = {"resnet18"};
    settings.data = {.name = "cifar10"};
    settings.seeds = 1;
  } else if (data != settings.data.name || recipes.full) {
    settings.recipe = full_recipe();  // the quick one is made for Fashion-MNIST
    settings.data.side = 0;
  }
  if (recipes.grid) {
    settings.ablation = true;
    settings.recipe.copies = {1, 5, 10};
    settings.models.assign(regimen::networks::names.begin(), regimen::networks::names.end());
    settings.seeds = 5;
  }
  return settings;
}

/// Reads the command line. Ends the program for --help and for what it does not understand.
inline Options read_options(int argc, char** argv) {
  Options options;
  options.settings = defaults(argc, argv);
  Recipes recipes;
  CLI::App app(
      "Bad global minima exist and SGD can reach them (Liu, Papailiopoulos and Achlioptas, NeurIPS 2020).\n"
      "Trains one network on true labels from two starting points, random weights and weights that were fitted to "
      "random\n"
      "labels, with vanilla SGD and with augmentation, l2 and momentum, and says how far the two end apart.");
  add_all(app, options, recipes);
  kit::parse(app, argc, argv, options.task);
  if (options.settings.data.name == "toy") {
    check_toy_options(app, options.settings.machine);
  }
  return options;
}

/// Settles what the options leave open, prints it, and returns how the experiment is conducted. Throws regimen::Error
/// for a value that is named twice, and for what this machine has not.
inline ex::Conduct settle(Options& options) {
  auto& [s, task] = options;
  const bool toy = s.data.name == "toy";
  check_once(s);
  if (s.seeds == 0) {
    s.seeds = toy ? 1 : 5;
  }
  ex::Conduct how = kit::settle(s.machine, s.data, static_cast<int>(units_of(s).size()), s.seeds, task,
                                {.small = toy, .all_threads = s.paper && !toy});
  if (task.budget < 0) {
    constexpr double default_budget = 480;
    task.budget = is_default(s) && task.unit.empty() ? default_budget : 0;
    task.must_fit = false;
  }
  how.prefix = s.models.size() == 1 ? s.models.front() + "-" : "";
  how.ends_by_itself = s.recipe.until_fit;
  how.always_estimates = s.paper;
  return how;
}
