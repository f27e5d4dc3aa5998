#include "options.hpp"

#include <torch/torch.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <regimen/manifest.hpp>
#include <regimen/models.hpp>
#include <regimen/version.hpp>

#include "data.hpp"
#include "plan.hpp"
#include "processors.hpp"

namespace {

/// Which recipe the defaults are of, where it is not --paper's.
struct Recipes {
  bool full = false;
  bool grid = false;
};

void add_what_to_do(CLI::App& app, Task& task) {
  app.add_flag("--resume", task.resume, "go on where an interrupted run with the same settings was");
  app.add_flag("--quiet", task.quiet, "no progress, only the table");
  app.add_option(
         "--budget", task.budget,
         "make the experiment so small that all of it takes at most so long: 540, 540s, 9m or 1h. Fewer images, "
         "down to half, then fewer seeds, down to 3; with --paper all phases are shortened alike. Default: 8m of "
         "the default experiment, at its smallest if need be; else 0, no limit")
      ->transform(CLI::AsNumberWithUnit(std::map<std::string, double>{{"s", 1}, {"m", 60}, {"h", 3600}},
                                        CLI::AsNumberWithUnit::CASE_INSENSITIVE));
  const std::string group = "Several processes on one results folder";
  app.add_flag("--list", task.list, "print the names of the units that need nothing of each other, and end")
      ->group(group);
  app.add_option("--unit", task.unit, "train this one of them alone: one job of xargs or of a SLURM array")
      ->group(group);
  app.add_flag("--collect", task.collect, "tables and pictures of the units that are complete, and end")->group(group);
  const std::string hidden;
  app.add_flag("--worker", task.worker, "tell what is done on stdout: for the process that started this one")
      ->group(hidden);
  app.add_flag("--pace", task.pace, "measure how fast a worker trains, and end")->group(hidden);
}

void add_what(CLI::App& app, Settings& s, Recipes& recipes) {
  app.add_option("--data", s.data, "fashion-mnist, cifar10, cifar100, cinic10, restricted-imagenet or toy")
      ->check(CLI::IsMember({"fashion-mnist", "cifar10", "cifar100", "cinic10", "restricted-imagenet", "toy"}))
      ->capture_default_str();
  app.add_option("--root", s.root, "folder of the data (default: where Debian's package puts Fashion-MNIST)");
  app.add_option("--model", s.models, "pooled, resnet18, resnet50, vgg16 or densenet40; several with commas between")
      ->check(CLI::IsMember({"pooled", "resnet18", "resnet50", "vgg16", "densenet40"}))
      ->delimiter(',')
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->capture_default_str();
  app.add_option("--out", s.out, "folder of the results")->capture_default_str();
  app.add_flag("--ablation", s.ablation, "all eight sets of augmentation, l2 and momentum");
  app.add_flag("--full", recipes.full,
               "the larger experiment: width 32, 28 x 28 pixels, 60 epochs with regularizers; some 20 minutes");
  app.add_flag("--paper", s.paper,
               "the authors' recipe: all images, batch 128, 350 epochs a phase, rate 0.1 falling after 150 and 250; of "
               "the toy 100,000 epochs");
  app.add_flag("--grid", recipes.grid,
               "the paper's grid: --paper --ablation --copies 1,5,10, all four networks, five seeds");
  app.add_option("--seeds", s.seeds, "number of seeds (default: 5; 1 with --paper)")->check(CLI::PositiveNumber);
  app.add_option("--first-seed", s.first_seed, "the first of them")->capture_default_str();
  app.add_option("--device", s.device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  app.add_option("--precision", s.precision, "auto, fp32 or bf16 (auto: bf16 on a GPU)")
      ->check(CLI::IsMember({"auto", "fp32", "bf16"}))
      ->capture_default_str();
  app.add_option("--workers", s.workers,
                 "processes side by side, each with a unit of its own (default: one a processor; on a GPU 1)")
      ->check(CLI::PositiveNumber);
  app.add_option("--threads", s.threads,
                 "CPU threads of each (default: 1; with --paper the processors shared out); more than 1 means fewer "
                 "workers")
      ->check(CLI::PositiveNumber);
}

void add_recipe(CLI::App& app, Recipe& r) {
  const std::string group = "The experiment (defaults: those of the recipe that is chosen)";
  const auto add = [&](const char* name, auto& value, const char* what) {
    return app.add_option(name, value, what)->capture_default_str()->group(group);
  };
  add("--images", r.images, "training images, 0: all")->check(CLI::NonNegativeNumber);
  add("--side", r.side,
      "width and height that images are shrunk to, in pixels, 0: as they are (Restricted ImageNet: 64)")
      ->check(CLI::Range(0, 1024));
  add("--width", r.width, "channels of the pooled network's first block")->check(CLI::PositiveNumber);
  add("--copies", r.copies, "R: copies of each image in the confusion set; several with commas between")
      ->check(CLI::PositiveNumber)
      ->delimiter(',')
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add("--zeroed", r.zeroed, "N: share of each copy's pixels that are zeroed, in [0, 1]")->check(CLI::Range(0.0, 1.0));
  add("--batch", r.batch, "images a step")->check(CLI::PositiveNumber);
  add("--memorize-rate", r.memorize_rate, "learning rate on random labels");
  add("--memorize-epochs", r.memorize_epochs, "at most so many epochs on random labels")->check(CLI::PositiveNumber);
  add("--memorize-fit", r.memorize_fit, "share of them, in (0, 1], that is enough, and ends it")
      ->check(CLI::Range(0.0, 1.0));
  add("--vanilla-rate", r.vanilla_rate, "learning rate of vanilla SGD on true labels");
  add("--vanilla-epochs", r.vanilla_epochs, "at most so many epochs of vanilla SGD; without --paper ends at 100 % fit")
      ->check(CLI::PositiveNumber);
  add("--escape-rate", r.escape_rate, "learning rate with regularizers, without --paper to 0 along a cosine");
  add("--escape-epochs", r.escape_epochs, "epochs with regularizers")->check(CLI::PositiveNumber);
  add("--momentum", r.momentum, "momentum of SGD where it is on, in [0, 1)");
  add("--weight-decay", r.weight_decay, "l2 strength where it is on");
  app.add_option("--padding", r.padding, "random crop, in pixels (default: an eighth of the side)")->group(group);
  add("--score-every", r.score_every, "epochs between the points of the curves")->check(CLI::PositiveNumber);
  add("--score-images", r.score_images, "test images at these points, 0: all, as at every training's end")
      ->check(CLI::NonNegativeNumber);
}

bool has_word(int argc, char** argv, const std::string& wanted) {
  return std::any_of(argv + 1, argv + argc, [&](const char* word) { return word == wanted; });
}

/// What the command line says --data is, before the rest is read.
std::string data_of(int argc, char** argv) {
  const std::string flag = "--data";
  std::string data = Settings{}.data;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == flag && i + 1 < argc) {
      data = argv[i + 1];
    } else if (word.rfind(flag + "=", 0) == 0) {
      data = word.substr(flag.size() + 1);
    }
  }
  return data;
}

/// The defaults: those of the recipe that the command line chooses, so that --help shows them.
Settings defaults(int argc, char** argv) {
  Settings settings;
  const std::string data = data_of(argc, argv);
  const bool grid = has_word(argc, argv, "--grid");
  if (data != "toy" && (grid || has_word(argc, argv, "--paper"))) {
    settings.paper = true;
    settings.recipe = paper_recipe();
    settings.models = {"resnet18"};
    settings.data = "cifar10";
    settings.seeds = 1;
  } else if (data != settings.data || has_word(argc, argv, "--full")) {
    // The quick recipe is made for Fashion-MNIST.
    settings.recipe = full_recipe();
  }
  if (grid) {
    settings.ablation = true;
    settings.recipe.copies = {1, 5, 10};
    settings.models.assign(regimen::models::names.begin(), regimen::models::names.end());
    settings.seeds = 5;
  }
  return settings;
}

/// The toy's tensors are too small for a GPU, for bf16 and for threads; it has arms of its own.
void settle_toy(Settings& s) {
  if (s.device == "cuda" || s.precision == "bf16" || s.ablation) {
    throw regimen::Error("--data toy trains in fp32 on the CPU, and has no --ablation");
  }
  s.device = "cpu";
  s.precision = "fp32";
  s.seeds = s.seeds == 0 ? 1 : s.seeds;
}

}  // namespace

Options read_options(int argc, char** argv) {
  Options options;
  Settings& settings = options.settings;
  settings = defaults(argc, argv);
  options.task.words.assign(argv, argv + argc);
  Recipes recipes;
  CLI::App app(
      "Bad global minima exist and SGD can reach them (Liu, Papailiopoulos and Achlioptas, NeurIPS 2020).\n"
      "Trains one network on true labels from two starting points, random weights and weights that were fitted to "
      "random\n"
      "labels, with vanilla SGD and with augmentation, l2 and momentum, and says how far the two end apart.");
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  add_what(app, settings, recipes);
  add_what_to_do(app, options.task);
  add_recipe(app, settings.recipe);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    std::exit(app.exit(stop));
  }
  return options;
}

namespace {

/// Whether what is to be trained is the default experiment, wherever, by whatever processors and with whatever first
/// seed.
bool is_default(const Settings& settings) {
  Settings standard;
  standard.root = settings.root;
  standard.out = settings.out;
  standard.device = settings.device;
  standard.workers = settings.workers;
  standard.threads = settings.threads;
  standard.first_seed = settings.first_seed;
  return regimen::manifest(settings) == regimen::manifest(standard);
}

void settle_processors(Settings& s, bool one_process) {
  const int here = processors();
  const int units = static_cast<int>(units_of(s).size());
  if (one_process || s.device == "cuda" || s.data == "toy") {
    s.workers = 1;
  } else if (s.workers == 0) {
    s.workers = std::clamp(here / std::max(1, s.threads), 1, units);
  }
  if (s.threads == 0) {
    s.threads = s.paper && s.data != "toy" ? std::max(1, here / s.workers) : 1;
  }
}

void check_together(const Settings& s, const Task& task) {
  if (s.data == "toy" && (task.list || task.collect || !task.unit.empty() || task.budget > 0)) {
    throw regimen::Error("--data toy has no --list, --unit, --collect and --budget: it takes a minute");
  }
  if (task.budget > 0 && !task.unit.empty() && !task.worker) {
    throw regimen::Error("--budget fits a whole run to a time; --unit is a part of one");
  }
  const std::string missing = s.root.empty() ? needed_root(s.data) : "";
  if (!missing.empty() && !task.list && !task.collect) {
    throw regimen::Error("--data " + s.data + " needs --root DIR: the folder that holds " + missing);
  }
}

}  // namespace

void settle(Options& options) {
  Settings& s = options.settings;
  Task& task = options.task;
  if (task.budget < 0) {
    constexpr double default_budget = 480;
    task.budget = is_default(s) && task.unit.empty() ? default_budget : 0;
    task.must_fit = false;
  }
  if (s.data == "toy") {
    settle_toy(s);
  }
  check_together(s, task);
  if (s.device == "auto") {
    s.device = torch::cuda::is_available() ? "cuda" : "cpu";
  } else if (s.device == "cuda" && !torch::cuda::is_available()) {
    throw regimen::Error("--device cuda: this LibTorch finds no CUDA device");
  }
  if (s.precision == "auto") {
    s.precision = s.device == "cuda" ? "bf16" : "fp32";
  }
  s.seeds = s.seeds == 0 ? 5 : s.seeds;
  settle_processors(s, !task.unit.empty() || task.pace);
  torch::set_num_threads(s.threads);
  if (!task.list && !task.worker) {
    std::printf("regimen %s, LibTorch %s, %s, %s, %d worker%s of %d thread%s, %d seed%s\n", regimen::version,
                TORCH_VERSION, s.device.c_str(), s.precision.c_str(), s.workers, s.workers == 1 ? "" : "s", s.threads,
                s.threads == 1 ? "" : "s", s.seeds, s.seeds == 1 ? "" : "s");
  }
}
