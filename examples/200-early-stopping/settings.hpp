#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <regimen/experiment.hpp>
#include <regimen/regimen.hpp>

#include "kit/check_once.hpp"
#include "kit/cut.hpp"
#include "kit/image_settings.hpp"

namespace ex = regimen::experiment;
namespace rg = regimen;

/// The settings of the command line.
struct EarlySettings {
  kit::DataOptions data{.side = 14};
  std::string out = "results-early-stopping";
  kit::Machine machine{};

  // Clusters on a sphere, a two-layer network, full batches.
  int seeds = 5;
  std::vector<int> radii = {10, 20, 30, 50};  ///< percent of a centre's norm
  std::vector<int> noise = {10, 20, 30, 40};  ///< percent of each cluster's labels that are flipped
  std::vector<std::string> activations = {"softplus", "tanh", "relu"};
  int clusters = 10;
  int dimensions = 50;
  int points = 20;         ///< of each cluster, fewer than dimensions: else wrong labels take too long to be fitted
  int width = 500;         ///< hidden units
  int first_steps = 100;   ///< scored one by one
  int most_steps = 30000;  ///< at most, until all wrong labels are fitted

  // Images, an MLP of one hidden layer, SGD.
  int image_seeds = 5;
  std::vector<int> wrong = {0, 30, 50};  ///< percent of the images with a uniformly random label
  std::int64_t images = 2000;
  int hidden = 512;
  int epochs = 80;
  int batch = 50;
  double rate = 0.2;
};

inline kit::Sizes sizes_of(EarlySettings& s) {
  return {.seeds = &s.seeds, .images = &s.images, .batch = s.batch, .ends_by_itself = true};
}

/// One training on clusters.
struct ClusterArm {
  int seed = 1;
  int radius = 20;
  int noise = 20;
  std::string activation = "softplus";

  [[nodiscard]] std::string unit() const { return "clusters-seed" + std::to_string(seed); }
  [[nodiscard]] std::string job(const std::string& what) const {
    return unit() + "-radius" + std::to_string(radius) + "-noise" + std::to_string(noise) + "-" + activation + "-" +
           what;
  }
  [[nodiscard]] ex::Factors factors(const std::string& what) const {
    return {{"part", "clusters"},       {"radius", std::to_string(radius)}, {"noise", std::to_string(noise)},
            {"activation", activation}, {"seed", std::to_string(seed)},     {"job", what}};
  }
};

/// One training on images.
struct ImageArm {
  int seed = 1;
  int wrong = 0;

  [[nodiscard]] std::string unit() const { return "images-seed" + std::to_string(seed); }
  [[nodiscard]] std::string job() const { return unit() + "-noise" + std::to_string(wrong); }
  [[nodiscard]] ex::Factors factors() const {
    return {{"part", "images"},
            {"radius", ""},
            {"noise", std::to_string(wrong)},
            {"activation", ""},
            {"seed", std::to_string(seed)},
            {"job", "train"}};
  }
};

/// The cells of the table on clusters: each of radius, noise and activation is varied alone, the others at 20 %, 20 %
/// and softplus, or at the first of theirs where a list lacks it.
inline std::vector<ClusterArm> cells_of(const EarlySettings& s) {
  const auto or_first = [](const auto& list, auto wanted) {
    return std::find(list.begin(), list.end(), wanted) != list.end() ? wanted : list.front();
  };
  const ClusterArm base{1, or_first(s.radii, 20), or_first(s.noise, 20),
                        or_first(s.activations, std::string("softplus"))};
  std::vector<ClusterArm> cells;
  for (const int radius : s.radii) {
    cells.push_back({1, radius, base.noise, base.activation});
  }
  for (const int noise : s.noise) {
    if (noise != base.noise) {
      cells.push_back({1, base.radius, noise, base.activation});
    }
  }
  for (const std::string& activation : s.activations) {
    if (activation != base.activation) {
      cells.push_back({1, base.radius, base.noise, activation});
    }
  }
  return cells;
}

/// A stop rule that looks at no clean label.
struct Rule {
  std::string name;
  rg::Stop stop;
};

/// The rules for data with this share of wrong labels, which one of them has to know, and this distance budget; no
/// budget for 0.
inline std::vector<Rule> rules_for(double wrong, double budget) {
  std::vector<Rule> rules{
      {"loss falls by less than 1 %",
       rg::Patience{.scorings = 1, .metric = rg::Metric::fit_loss, .by = 0.01, .relative = true}},
      {"predictions change more (Label Wave)", rg::MeasureRises{.measure = "changes", .window = 3, .scorings = 2}}};
  if (wrong > 0) {
    rules.push_back({"fit reaches 1 - wrong", rg::FitReaches{1 - wrong}});
  }
  if (budget > 0) {
    rules.push_back({"distance above 1.5 sqrt(K)", rg::MeasureExceeds{.measure = "distance", .bound = budget}});
  }
  return rules;
}
