#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <regimen/experiment.hpp>
#include <regimen/regimen.hpp>

#include "kit/cut.hpp"
#include "kit/format.hpp"
#include "kit/image_settings.hpp"

namespace ex = regimen::experiment;
namespace rg = regimen;

/// Linear regression, of 100 points.
struct LinearSettings {
  int seeds = 5;
  std::vector<int> ratios = {20, 50, 80, 90, 110, 120, 150, 200, 300, 500, 1000, 3000};  ///< features over points, in %
  std::vector<int> other_ratios = {20, 50, 80, 120, 150, 200, 300, 500, 1000};  ///< of latent and ReLU features
  std::vector<int> ridge_ratios = {80, 110, 150, 200, 300, 500};
  std::vector<int> penalties = {0, 10, 30, 100, 200, 500, 2000};
  int points = 10;        ///< that are attacked, in each seed
  int law_designs = 160;  ///< draws of the training inputs beside the exact law, in each seed
  int designs = 40;       ///< the same in all other parts
};

/// The settings of the command line.
struct MembershipSettings {
  kit::DataOptions data{.side = 14};
  std::string out = "results-membership";
  kit::Machine machine{};
  LinearSettings linear{};

  int image_seeds = 3;
  std::string model = "mlp";         ///< or a network of the kit
  int width = 16;                    ///< channels of the pooled network's first block
  std::vector<int> copies = {1, 4};  ///< R of the confusion sets that bad minima start from
  int networks = 8;                  ///< that are trained in each arm, each on half of the images
  std::int64_t images = 2000;        ///< candidates for membership
  std::int64_t population = 10000;   ///< test images, which no network is trained on, for RMIA
  int batch = 50;
  double rate = 0.1;
  double memorize_rate = 0.1;
  int epochs = 300;  ///< at most
  double regularized_rate = 0.05;
  double l2 = 5e-4;
  int regularized_epochs = 200;
};

inline kit::Sizes sizes_of(MembershipSettings& s) {
  return {.seeds = &s.image_seeds, .images = &s.images, .batch = s.batch, .ends_by_itself = true};
}

/// The training set of linear regression.
constexpr std::int64_t training_points = 100;
constexpr std::int64_t all_features = 10000;  ///< that make the labels of linear features

/// A number of linear regression: which part, at which ratio or penalty, from which seed.
struct Cell {
  std::string part;
  int at = 0;
  int seed = 1;

  [[nodiscard]] std::string unit() const { return "linear-seed" + std::to_string(seed); }
  [[nodiscard]] std::string job() const { return unit() + "-" + part + "-" + std::to_string(at); }
  [[nodiscard]] ex::Factors factors() const {
    return {{"part", part}, {"at", std::to_string(at)}, {"seed", std::to_string(seed)}};
  }
};

/// The part of one row of the ridge table.
inline std::string ridge_part(int ratio) {
  return "ridge-" + std::to_string(ratio);
}

inline std::vector<Cell> cells_of(const LinearSettings& s) {
  std::vector<Cell> cells;
  for (int seed = 1; seed <= s.seeds; ++seed) {
    const auto add = [&](const std::string& part, const std::vector<int>& varied) {
      for (const int at : varied) {
        cells.push_back({part, at, seed});
      }
    };
    add("law", s.ratios);
    add("latent", s.other_ratios);
    add("relu", s.other_ratios);
    for (const int ratio : s.ridge_ratios) {
      add(ridge_part(ratio), s.penalties);
    }
  }
  return cells;
}

/// Networks that are trained alike, each on a half of the images: one arm of the experiment on images.
struct Arm {
  int seed = 1;
  int copies = 0;  ///< R of the random labels that are fitted first; 0: none
  bool regularized = false;
  bool others = false;  ///< whether those are labels of other images

  /// The minimum that is reached: "good", "bad R=1", "bad R=1, others", "regularized R=4".
  [[nodiscard]] std::string name() const {
    return copies == 0
               ? "good"
               : kit::format("%s R=%d%s", regularized ? "regularized" : "bad", copies, others ? ", others" : "");
  }
  /// Arms with one start are trained by one process.
  [[nodiscard]] std::string unit() const {
    return kit::format("networks-seed%d-%s%d", seed, others ? "others" : "R", copies);
  }
  /// `at`: which network, or "attacks".
  [[nodiscard]] std::string job(const std::string& at) const {
    return unit() + (copies == 0 ? "-good-" : regularized ? "-regularized-" : "-bad-") + at;
  }
  [[nodiscard]] ex::Factors factors(const std::string& at) const {
    return {{"part", name()}, {"at", at}, {"seed", std::to_string(seed)}};
  }
  /// The training on random labels that comes before.
  [[nodiscard]] std::string memorizing(const std::string& at) const { return unit() + "-memorize-" + at; }
  [[nodiscard]] ex::Factors memorizing_factors(const std::string& at) const {
    return {{"part", kit::format("memorize R=%d%s", copies, others ? ", others" : "")},
            {"at", at},
            {"seed", std::to_string(seed)}};
  }
};

/// The arms of one seed: good minima; bad ones by R, of the first R also from random labels of other images, which no
/// attack asks for; and those that regularizers reach from the last R's start.
inline std::vector<Arm> arms_of(const MembershipSettings& s, int seed) {
  std::vector<Arm> arms{{seed}};
  arms.push_back({.seed = seed, .copies = s.copies.front(), .others = true});
  for (const int copies : s.copies) {
    arms.push_back({seed, copies});
  }
  arms.push_back({seed, s.copies.back(), true});
  return arms;
}

/// The arms of all seeds by what one process trains: those of one seed and one start.
inline std::vector<std::vector<Arm>> units_of(const MembershipSettings& s) {
  std::vector<std::vector<Arm>> units;
  for (int seed = 1; seed <= s.image_seeds; ++seed) {
    for (const Arm& arm : arms_of(s, seed)) {
      if (arm.regularized) {
        units.back().push_back(arm);
      } else {
        units.push_back({arm});
      }
    }
  }
  return units;
}
