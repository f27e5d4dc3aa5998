#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// How one network is trained, in numbers. The defaults are the ten-minute experiment; `paper_recipe` is the authors'.
struct Recipe {
  std::int64_t images = 2000;     ///< 0: all
  std::vector<int> copies = {2};  ///< R; each gives an adversarial start of its own
  double zeroed = 0.1;            ///< N
  int batch = 64;
  double memorize_rate = 0.2;
  int memorize_epochs = 80;
  double vanilla_rate = 0.02;
  int vanilla_epochs = 80;
  bool until_fit = true;  ///< vanilla arms end once they fit all their labels
  double escape_rate = 0.1;
  double momentum = 0.9;
  double weight_decay = 1e-3;
  int escape_epochs = 36;
  std::vector<int> decay_at = {};  ///< epochs after which every rate is a tenth; none: regularized arms along a cosine
  int padding = 0;                 ///< of the random crop in pixels; 0: an eighth of the side, rounded down
  int score_every = 6;             ///< epochs between points of the curves
  bool score_all_seeds = false;    ///< at these points; else the first alone, the others at their ends
};

/// The recipe of the paper's authors for CIFAR-10 (their code; see docs/results for what differs).
inline Recipe paper_recipe() {
  return {.images = 0,
          .copies = {1},
          .batch = 128,
          .memorize_rate = 0.1,
          .memorize_epochs = 350,
          .vanilla_rate = 0.1,
          .vanilla_epochs = 350,
          .until_fit = false,
          .escape_rate = 0.1,
          .weight_decay = 5e-4,
          .escape_epochs = 350,
          .decay_at = {150, 250},
          .score_every = 25,
          .score_all_seeds = true};
}

/// What the command line says; --help gives each its meaning and unit.
struct Settings {
  std::string data = "fashion-mnist";  ///< fashion-mnist, cifar10, cifar100, cinic10, restricted-imagenet or toy
  std::string root{};                  ///< folder of the data; empty: where Debian puts Fashion-MNIST
  std::int64_t side = 64;              ///< of Restricted ImageNet's images, in pixels
  std::vector<std::string> models = {"pooled"};
  std::string out = "results";
  std::string device = "auto";     ///< auto, cpu or cuda
  std::string precision = "auto";  ///< auto, fp32 or bf16
  int threads = 0;                 ///< 0: all processors
  int seeds = 0;                   ///< 0: three, or two where only fp32 is fast
  std::uint64_t first_seed = 1;
  bool ablation = false;
  bool paper = false;
  Recipe recipe{};
};

/// What to do with them: nothing here changes a result but a budget, which shortens the recipe.
struct Task {
  bool resume = false;
  bool quiet = false;
  bool list = false;     ///< print the units, one a line
  bool collect = false;  ///< make tables and pictures of what is there
  std::string unit{};    ///< the only one to train; empty: all
  double budget = 0;     ///< seconds; 0: none
};
