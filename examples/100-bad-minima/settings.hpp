#pragma once
// No LibTorch.

#include <cstdint>
#include <string>
#include <vector>

#include "kit/check_once.hpp"
#include "kit/cut.hpp"
#include "kit/image_settings.hpp"

/// How one network is trained, in numbers. The defaults are the quick experiment on Fashion-MNIST: the cheapest that
/// was found to show the effect with every interval clear (docs/results has the others that were measured).
struct Recipe {
  std::int64_t images = 1500;     ///< 0: all
  int width = 16;                 ///< channels of the pooled network's first block
  std::vector<int> copies = {2};  ///< R; each gives an adversarial start of its own
  double zeroed = 0.1;            ///< N
  int batch = 64;
  double memorize_rate = 0.2;
  int memorize_epochs = 80;
  double memorize_fit = 0.999;  ///< share of the random labels, in (0, 1], that ends it; less is no adversarial start
  double vanilla_rate = 0.02;
  int vanilla_epochs = 80;
  bool until_fit = true;  ///< vanilla arms end once they fit all their labels
  double escape_rate = 0.1;
  double momentum = 0.9;
  double weight_decay = 1e-3;
  int escape_epochs = 60;
  std::vector<int> decay_at = {};  ///< epochs after which every rate is a tenth; none: regularized arms along a cosine
  int padding = 0;                 ///< of the random crop in pixels; 0: an eighth of the side, rounded down
  int score_every = 4;             ///< epochs between points of the curves
  std::int64_t score_images = 2000;  ///< of the test set, at these points; 0: all, as at every training's end
  bool score_all_seeds = false;      ///< at these points; else the first alone, the others at their ends
};

/// The 20-minute experiment: twice the width, and all pixels. Also the quick one on every other data set.
inline Recipe full_recipe() {
  return {.images = 2000, .width = 32};
}

/// The recipe of the paper's authors for CIFAR-10 (their code; see docs/results for what differs).
inline Recipe paper_recipe() {
  return {.images = 0,
          .width = 32,
          .copies = {1},
          .batch = 128,
          .memorize_rate = 0.1,
          .memorize_epochs = 350,
          .memorize_fit = 0.9999,
          .vanilla_rate = 0.1,
          .vanilla_epochs = 350,
          .until_fit = false,
          .escape_rate = 0.1,
          .weight_decay = 5e-4,
          .escape_epochs = 350,
          .decay_at = {150, 250},
          .score_every = 25,
          .score_images = 0,
          .score_all_seeds = true};
}

/// The settings of the command line; --help gives the meaning and unit of each.
struct Settings {
  kit::DataOptions data{.side = 14};  ///< `data.name`: one of `kit::data_names`, or toy
  std::vector<std::string> models = {"pooled"};
  std::string out = "results";
  kit::Machine machine{};  ///< `threads` 0: one; with --paper all processors shared out
  int seeds = 0;           ///< 0: five, or one of the toy
  std::uint64_t first_seed = 1;
  bool ablation = false;
  bool paper = false;
  Recipe recipe{};
};

/// The sizes that a budget can make smaller.
inline kit::Sizes sizes_of(Settings& settings) {
  Recipe& recipe = settings.recipe;
  kit::Sizes sizes{.seeds = &settings.seeds,
                   .images = &recipe.images,
                   .batch = recipe.batch,
                   .ends_by_itself = recipe.until_fit,
                   .epochs = {{"random labels at most", &recipe.memorize_epochs},
                              {"vanilla", &recipe.vanilla_epochs},
                              {"regularized", &recipe.escape_epochs},
                              {"scored every", &recipe.score_every}},
                   .enough_images = 1000,  // measured: every interval is clear of zero (docs/results)
                   .enough_seeds = 5};
  for (int& epoch : recipe.decay_at) {
    sizes.epochs.emplace_back("rates a tenth after epoch", &epoch);
  }
  return sizes;
}

/// Whether settled settings are those of the default experiment, wherever it is trained, by whatever processors and
/// with whatever first seed.
inline bool is_default(const Settings& settings) {
  Settings standard{.seeds = 5, .first_seed = settings.first_seed};
  standard.machine.device = settings.machine.device;
  standard.machine.precision = settings.machine.device == "cuda" ? "bf16" : "fp32";
  return kit::text_of_settings(settings) == kit::text_of_settings(standard);
}

/// Throws regimen::Error for a value that an option names twice.
inline void check_once(const Settings& settings) {
  kit::check_once("--model must name each network", settings.models);
  kit::check_once("--copies must have each number", settings.recipe.copies);
}

/// The sharpness in the table is that of so many training images, under so many noises, the same for all minima.
constexpr int look_images = 400, look_draws = 4;

/// The files that the program writes into its results folder, besides those of every experiment.
inline const std::vector<std::string> result_names{"pictures", "board", "summary.csv", "toy.csv", "table.txt"};
