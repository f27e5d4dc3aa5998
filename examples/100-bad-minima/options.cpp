#include "options.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <regimen/base/error.hpp>
#include <regimen/networks.hpp>

#include "kit/networks.hpp"
#include "kit/options.hpp"
#include "plan.hpp"

using kit::at_least_0;
using kit::at_least_1;
using kit::bound;

namespace {

/// Which recipe the defaults are of, where it is not --paper's.
struct Recipes {
  bool full = false;
  bool grid = false;
};

void add_what(CLI::App& app, Settings& s, Recipes& recipes) {
  kit::add_data(app, s.data, s.root, {"toy"});
  app.add_option("--model", s.models, "pooled, resnet18, resnet50, vgg16 or densenet40; several with commas between")
      ->check(CLI::IsMember(kit::network_names()))
      ->delimiter(',')
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->capture_default_str();
  app.add_option("--out", s.out, "folder of the results")->capture_default_str();
  app.add_flag("--ablation", s.ablation, "all eight sets of augmentation, l2 and momentum");
  CLI::Option* const full = app.add_flag(
      "--full", recipes.full, "the larger experiment: 2,000 images of 28 x 28 pixels, width 32; some 20 minutes");
  CLI::Option* const paper = app.add_flag(
      "--paper", s.paper,
      "the authors' recipe: all images, batch 128, 350 epochs a phase, rate 0.1 falling after 150 and 250; of "
      "the toy 100,000 epochs");
  CLI::Option* const grid = app.add_flag(
      "--grid", recipes.grid, "the paper's grid: --paper --ablation --copies 1,5,10, all four networks, five seeds");
  full->excludes(paper)->excludes(grid);
  app.add_option("--seeds", s.seeds, "number of seeds (default: 5; 1 with --paper)")->check(at_least_1());
  app.add_option("--first-seed", s.first_seed, "the first of them")->capture_default_str();
  kit::add_device(app, s.device, s.precision);
  kit::add_workers(app, s.workers, s.threads, "1; with --paper the processors shared out");
}

void add_recipe(CLI::App& app, Recipe& r) {
  const std::string group = "The experiment (defaults: those of the recipe that is chosen)";
  const auto add = [&](const char* name, auto& value, const char* what) {
    return app.add_option(name, value, what)->capture_default_str()->group(group);
  };
  add("--images", r.images, "training images, 0: all")->check(at_least_0());
  add("--side", r.side,
      "width and height that images are shrunk to, in pixels, 0: as they are (Restricted ImageNet: 64)")
      ->check(bound("0 or in [2, 1024]", [](double side) { return side == 0 || (side >= 2 && side <= 1024); }));
  add("--width", r.width, "channels of the pooled network's first block")->check(at_least_1());
  add("--copies", r.copies, "R: copies of each image in the confusion set; several with commas between")
      ->check(at_least_1())
      ->delimiter(',')
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add("--zeroed", r.zeroed, "N: share of each copy's pixels that are zeroed, in [0, 1]")
      ->check(bound("in [0, 1]", [](double share) { return share >= 0 && share <= 1; }));
  add("--batch", r.batch, "images a step")->check(at_least_1());
  add("--memorize-rate", r.memorize_rate, "learning rate on random labels")->check(at_least_0());
  add("--memorize-epochs", r.memorize_epochs, "at most so many epochs on random labels")->check(at_least_1());
  add("--memorize-fit", r.memorize_fit, "share of them, in (0, 1], that is enough, and ends it")
      ->check(bound("in (0, 1]", [](double share) { return share > 0 && share <= 1; }));
  add("--vanilla-rate", r.vanilla_rate, "learning rate of vanilla SGD on true labels")->check(at_least_0());
  add("--vanilla-epochs", r.vanilla_epochs, "at most so many epochs of vanilla SGD; without --paper ends at 100 % fit")
      ->check(at_least_1());
  add("--escape-rate", r.escape_rate, "learning rate with regularizers, without --paper to 0 along a cosine")
      ->check(at_least_0());
  add("--escape-epochs", r.escape_epochs, "epochs with regularizers")->check(at_least_1());
  add("--momentum", r.momentum, "momentum of SGD where it is on, in [0, 1)")
      ->check(bound("in [0, 1)", [](double value) { return value >= 0 && value < 1; }));
  add("--weight-decay", r.weight_decay, "l2 strength where it is on")->check(at_least_0());
  app.add_option("--padding", r.padding, "random crop, in pixels (default, and 0: an eighth of the side)")
      ->group(group)
      ->check(bound("in [0, 1024]", [](double pixels) { return pixels >= 0 && pixels <= 1024; }));
  add("--score-every", r.score_every, "epochs between the points of the curves")->check(at_least_1());
  add("--score-images", r.score_images, "test images at these points, 0: all, as at every training's end")
      ->check(at_least_0());
}

void add_all(CLI::App& app, Options& options, Recipes& recipes) {
  kit::take_last(app);
  add_what(app, options.settings, recipes);
  kit::add_task(
      app, options.task,
      "make the experiment so small that all of it takes about so long, 540, 540s, 9m or 1h, 0: no limit. Fewer "
      "images, "
      "down to half, then fewer seeds, down to 3; with --paper all phases are shortened alike. Default: 8m of "
      "the default experiment, at its smallest if need be; else 0");
  add_recipe(app, options.settings.recipe);
}

/// The defaults: those of the recipe that the command line chooses, so that --help shows them.
Settings defaults(int argc, char** argv) {
  // A first reading finds out which recipe that is. Its errors are those of the second, which reports them.
  Options chosen;
  Recipes recipes;
  CLI::App app;
  add_all(app, chosen, recipes);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError&) {}
  Settings settings;
  const std::string& data = chosen.settings.data;
  if (data != "toy" && (recipes.grid || chosen.settings.paper)) {
    settings.paper = true;
    settings.recipe = paper_recipe();
    settings.models = {"resnet18"};
    settings.data = "cifar10";
    settings.seeds = 1;
  } else if (data != settings.data || recipes.full) {
    // The quick recipe is made for Fashion-MNIST.
    settings.recipe = full_recipe();
  }
  if (recipes.grid) {
    settings.ablation = true;
    settings.recipe.copies = {1, 5, 10};
    settings.models.assign(regimen::networks::names.begin(), regimen::networks::names.end());
    settings.seeds = 5;
  }
  return settings;
}

/// The toy has a network, data and arms of its own: most options would change nothing.
void check_toy(const CLI::App& app) {
  const std::vector<std::string> known{"help",   "data",      "out",     "seeds",  "first-seed", "paper",
                                       "device", "precision", "threads", "resume", "quiet"};
  for (const CLI::Option* const option : app.get_options()) {
    const std::string name = option->get_lnames().empty() ? "" : option->get_lnames().front();
    if (option->count() > 0 && std::find(known.begin(), known.end(), name) == known.end()) {
      throw regimen::Error("--data toy has no --" + name + ": its network, its data and its arms are given");
    }
  }
}

}  // namespace

Options read_options(int argc, char** argv) {
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
  if (options.settings.data == "toy") {
    check_toy(app);
  }
  return options;
}
