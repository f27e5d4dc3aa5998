#include "options.hpp"

#include <torch/torch.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include <regimen/execute.hpp>
#include <regimen/models.hpp>
#include <regimen/version.hpp>

#include "data.hpp"

namespace {

void add_what_to_do(CLI::App& app, Task& task) {
  app.add_flag("--resume", task.resume, "go on where an interrupted run with the same settings was");
  app.add_flag("--quiet", task.quiet, "no progress, only the table");
  app.add_option("--budget", task.budget,
                 "shorten all phases alike so that the whole run takes at most so long: 540, 540s, 9m or 1h")
      ->transform(CLI::AsNumberWithUnit(std::map<std::string, double>{{"s", 1}, {"m", 60}, {"h", 3600}},
                                        CLI::AsNumberWithUnit::CASE_INSENSITIVE));
  const std::string group = "Several processes on one results folder";
  app.add_flag("--list", task.list, "print the names of the units that need nothing of each other, and end")
      ->group(group);
  app.add_option("--unit", task.unit, "train this one of them alone: one job of xargs or of a SLURM array")
      ->group(group);
  app.add_flag("--collect", task.collect, "tables and pictures of the units that are complete, and end")->group(group);
}

void add_what(CLI::App& app, Settings& s, bool& grid) {
  app.add_option("--data", s.data, "fashion-mnist, cifar10, cifar100, cinic10, restricted-imagenet or toy")
      ->check(CLI::IsMember({"fashion-mnist", "cifar10", "cifar100", "cinic10", "restricted-imagenet", "toy"}))
      ->capture_default_str();
  app.add_option("--root", s.root, "folder of the data (default: where Debian's package puts Fashion-MNIST)");
  app.add_option("--side", s.side, "width and height that Restricted ImageNet's images are resized to, in pixels")
      ->check(CLI::Range(8, 1024))
      ->capture_default_str();
  app.add_option("--model", s.models, "pooled, resnet18, resnet50, vgg16 or densenet40; several with commas between")
      ->check(CLI::IsMember({"pooled", "resnet18", "resnet50", "vgg16", "densenet40"}))
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--out", s.out, "folder of the results")->capture_default_str();
  app.add_flag("--ablation", s.ablation, "all eight sets of augmentation, l2 and momentum");
  app.add_flag("--paper", s.paper,
               "the authors' recipe: all images, batch 128, 350 epochs a phase, rate 0.1 falling after 150 and 250; of "
               "the toy 100,000 epochs");
  app.add_flag("--grid", grid, "the paper's grid: --paper --ablation --copies 1,5,10, all four networks, five seeds");
  app.add_option("--seeds", s.seeds, "number of seeds (default: 3 where bf16 is fast, else 2; 1 with --paper)")
      ->check(CLI::PositiveNumber);
  app.add_option("--first-seed", s.first_seed, "the first of them")->capture_default_str();
  app.add_option("--device", s.device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  app.add_option("--precision", s.precision, "auto, fp32 or bf16 (auto: bf16 where the processor has it)")
      ->check(CLI::IsMember({"auto", "fp32", "bf16"}))
      ->capture_default_str();
  app.add_option("--threads", s.threads, "CPU threads (default: all processors)")->check(CLI::PositiveNumber);
}

void add_recipe(CLI::App& app, Recipe& r) {
  const std::string group = "The experiment (defaults: those of the recipe that is chosen)";
  const auto add = [&](const char* name, auto& value, const char* what) {
    return app.add_option(name, value, what)->capture_default_str()->group(group);
  };
  add("--images", r.images, "training images, 0: all")->check(CLI::NonNegativeNumber);
  add("--copies", r.copies, "R: copies of each image in the confusion set; several with commas between")
      ->check(CLI::PositiveNumber)
      ->delimiter(',');
  add("--zeroed", r.zeroed, "N: share of each copy's pixels that are zeroed, in [0, 1]")->check(CLI::Range(0.0, 1.0));
  add("--batch", r.batch, "images a step")->check(CLI::PositiveNumber);
  add("--memorize-rate", r.memorize_rate, "learning rate on random labels");
  add("--memorize-epochs", r.memorize_epochs, "at most so many epochs on random labels; ends at 99.99 % fit")
      ->check(CLI::PositiveNumber);
  add("--vanilla-rate", r.vanilla_rate, "learning rate of vanilla SGD on true labels");
  add("--vanilla-epochs", r.vanilla_epochs, "at most so many epochs of vanilla SGD; without --paper ends at 100 % fit")
      ->check(CLI::PositiveNumber);
  add("--escape-rate", r.escape_rate, "learning rate with regularizers, without --paper to 0 along a cosine");
  add("--escape-epochs", r.escape_epochs, "epochs with regularizers")->check(CLI::PositiveNumber);
  add("--momentum", r.momentum, "momentum of SGD where it is on, in [0, 1)");
  add("--weight-decay", r.weight_decay, "l2 strength where it is on");
  app.add_option("--padding", r.padding, "random crop, in pixels (default: an eighth of the side)")->group(group);
  add("--score-every", r.score_every, "epochs between the points of the curves")->check(CLI::PositiveNumber);
}

bool has_flag(int argc, char** argv, const std::string& flag) {
  return std::any_of(argv + 1, argv + argc, [&](const char* word) { return word == flag; });
}

/// The toy's tensors are too small for a GPU, for bf16 and for threads; it has arms of its own.
void settle_toy(Settings& s) {
  if (s.device == "cuda" || s.precision == "bf16" || s.ablation) {
    throw regimen::Error("--data toy trains in fp32 on the CPU, and has no --ablation");
  }
  s.device = "cpu";
  s.precision = "fp32";
  s.threads = s.threads == 0 ? 1 : s.threads;
  s.seeds = s.seeds == 0 ? 1 : s.seeds;
}

}  // namespace

Options read_options(int argc, char** argv) {
  Options options;
  Settings& settings = options.settings;
  // Which recipe it is decides what the defaults are, so it is known before the rest is read.
  bool grid = has_flag(argc, argv, "--grid");
  const bool toy = has_flag(argc, argv, "toy") || has_flag(argc, argv, "--data=toy");
  if ((grid || has_flag(argc, argv, "--paper")) && !toy) {
    settings.paper = true;
    settings.recipe = paper_recipe();
    settings.models = {"resnet18"};
    settings.data = "cifar10";
    settings.seeds = 1;
  }
  if (grid) {
    settings.ablation = true;
    settings.recipe.copies = {1, 5, 10};
    settings.models.assign(regimen::models::names.begin(), regimen::models::names.end());
    settings.seeds = 5;
  }
  CLI::App app(
      "Bad global minima exist and SGD can reach them (Liu, Papailiopoulos and Achlioptas, NeurIPS 2020).\n"
      "Trains one network on true labels from two starting points, random weights and weights that were fitted to "
      "random\n"
      "labels, with vanilla SGD and with augmentation, l2 and momentum, and says how far the two end apart.");
  add_what(app, settings, grid);
  add_what_to_do(app, options.task);
  add_recipe(app, settings.recipe);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    std::exit(app.exit(stop));
  }
  return options;
}

void settle(Options& options) {
  Settings& s = options.settings;
  const Task& task = options.task;
  if (s.data == "toy") {
    settle_toy(s);
  }
  if (s.data == "toy" && (task.list || task.collect || !task.unit.empty() || task.budget > 0)) {
    throw regimen::Error("--data toy has no --list, --unit, --collect and --budget: it takes a minute");
  }
  if (task.budget > 0 && !task.unit.empty()) {
    throw regimen::Error("--budget fits a whole run to a time; --unit is a part of one");
  }
  if (s.device == "auto") {
    s.device = torch::cuda::is_available() ? "cuda" : "cpu";
  } else if (s.device == "cuda" && !torch::cuda::is_available()) {
    throw regimen::Error("--device cuda: this LibTorch finds no CUDA device");
  }
  const bool fast_bf16 = s.device == "cuda" || regimen::cpu_has_bf16();
  if (s.precision == "auto") {
    s.precision = fast_bf16 ? "bf16" : "fp32";
  }
  if (s.seeds == 0) {
    s.seeds = fast_bf16 ? 3 : 2;
  }
  if (s.threads == 0) {
    s.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  }
  const std::string missing = s.root.empty() ? needed_root(s.data) : "";
  if (!missing.empty() && !task.list && !task.collect) {
    throw regimen::Error("--data " + s.data + " needs --root DIR: the folder that holds " + missing);
  }
  torch::set_num_threads(s.threads);
  if (task.list) {
    return;
  }
  std::printf("regimen %s, LibTorch %s, %s, %s, %d thread%s, %d seed%s\n", regimen::version, TORCH_VERSION,
              s.device.c_str(), s.precision.c_str(), s.threads, s.threads == 1 ? "" : "s", s.seeds,
              s.seeds == 1 ? "" : "s");
  if (!fast_bf16 && s.data != "toy") {
    std::printf("This processor has no fast bf16: fp32, and fewer seeds unless --seeds says otherwise.\n");
  }
}
