#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// The experiment on images, in numbers.
struct Recipe {
  std::int64_t images = 2000;
  int copies = 2;       ///< R
  double zeroed = 0.1;  ///< N
  int batch = 64;
  double memorize_rate = 0.2;
  int memorize_epochs = 80;
  double vanilla_rate = 0.02;
  int vanilla_epochs = 80;
  double escape_rate = 0.1;
  double momentum = 0.9;
  double weight_decay = 1e-3;
  int escape_epochs = 36;
  int padding = 0;      ///< of the random crop in pixels; 0: an eighth of the side, rounded down
  int score_every = 6;  ///< epochs between points of the curves
};

/// What the command line says; --help gives each its meaning and unit.
struct Settings {
  std::string data = "fashion-mnist";  ///< fashion-mnist, cifar10, cifar100, cinic10, restricted-imagenet or toy
  std::string root{};                  ///< folder of the data; empty: where Debian puts Fashion-MNIST
  std::int64_t side = 64;              ///< of Restricted ImageNet's images, in pixels
  std::string out = "results";
  std::string device = "auto";     ///< auto, cpu or cuda
  std::string precision = "auto";  ///< auto, fp32 or bf16
  int threads = 0;                 ///< 0: all processors
  int seeds = 0;                   ///< 0: three, or two where only fp32 is fast
  std::uint64_t first_seed = 1;
  bool ablation = false;
  bool resume = false;
  bool quiet = false;
  bool paper = false;  ///< the toy's full recipe
  Recipe recipe{};
};
