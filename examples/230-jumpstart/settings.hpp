#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <regimen/experiment.hpp>
#include <regimen/regimen.hpp>

#include "kit/cut.hpp"
#include "kit/format.hpp"
#include "kit/image_settings.hpp"

namespace ex = regimen::experiment;
namespace rg = regimen;

/// The name of an arm on the command line and in the results, and what a table calls it.
struct ArmName {
  std::string key;
  std::string title;
};

inline const std::vector<ArmName>& arm_names() {
  static const std::vector<ArmName> all{{"relu", "plain ReLU"},      {"batch-norm", "BatchNorm"},
                                        {"norm", "Jumpstart, norm"}, {"balanced", "Jumpstart, balanced"},
                                        {"units", "units alone"},    {"points", "points alone"}};
  return all;
}

inline const std::string& title_of(const std::string& key) {
  for (const ArmName& arm : arm_names()) {
    if (arm.key == key) {
      return arm.title;
    }
  }
  return key;
}

/// Fully connected networks on two moons, all seeds of a cell in one module.
struct MoonsSettings {
  int seeds = 12;
  std::vector<int> widths = {4};
  std::vector<int> depths = {10, 20, 50, 100};
  std::vector<std::string> arms = {"relu", "batch-norm", "norm", "balanced", "units", "points"};
  int epochs = 1000;
  int every = 25;  ///< epochs between two scores
  double rate = 0.01;
  double norm_strength = 0.01;
  double balanced_strength = 1;
  double noise = 0;  ///< standard deviation of the points' noise
};

/// Convolutional networks on images.
struct DeepSettings {
  int seeds = 1;
  std::vector<std::string> arms = {"relu", "batch-norm", "balanced"};
  int depth = 28;
  int width = 8;
  std::int64_t images = 1000;
  int batch = 100;
  int epochs = 20;
  double rate = 1e-3;
};

/// The settings of the command line.
struct JumpstartSettings {
  kit::DataOptions data{.side = 14};
  std::string out = "results-jumpstart";
  kit::Machine machine{};
  MoonsSettings moons{};
  DeepSettings deep{};
};

inline kit::Sizes sizes_of(JumpstartSettings& s) {
  return {.seeds = &s.deep.seeds, .images = &s.deep.images, .batch = s.deep.batch};
}

/// Jumpstart as an arm has it, for an ensemble of so many networks or for a single one; none for an arm without.
inline std::vector<rg::AnyRegularizer> regularizers_of(const std::string& arm, const MoonsSettings& s,
                                                       std::optional<rg::Integer> members = {}) {
  if (arm == "relu" || arm == "batch-norm") {
    return {};
  }
  return {rg::Jumpstart{.strength = arm == "norm" ? s.norm_strength : s.balanced_strength,
                        .slacks = arm == "units"    ? rg::Slacks::units
                                  : arm == "points" ? rg::Slacks::points
                                                    : rg::Slacks::both,
                        .aggregation = arm == "norm" ? rg::Aggregation::norm : rg::Aggregation::balanced,
                        .members = members}};
}

/// Networks of one shape, trained alike on two moons.
struct Cell {
  int width = 4;
  int depth = 50;
  std::string arm = "relu";

  [[nodiscard]] std::string unit() const { return kit::format("moons-w%d-d%d-%s", width, depth, arm.c_str()); }
  [[nodiscard]] std::string job(const std::string& what) const { return unit() + "-" + what; }
  [[nodiscard]] ex::Factors factors(const std::string& part, const std::string& at) const {
    return {
        {"part", part}, {"arm", arm}, {"width", std::to_string(width)}, {"depth", std::to_string(depth)}, {"at", at}};
  }
  /// All arms of a shape begin with the same weights.
  [[nodiscard]] std::uint64_t seed() const { return static_cast<std::uint64_t>(1000 * width + depth); }
};

/// The part of the results with a number for each seed, each tenth of a network's layers, each training.
inline const char* const of_seeds = "moons";
inline const char* const of_layers = "layers";
inline const char* const of_training = "training";
inline const char* const of_images = "images";
inline const char* const of_units = "image units";

inline std::vector<Cell> cells_of(const MoonsSettings& s) {
  std::vector<Cell> cells;
  for (const int width : s.widths) {
    for (const int depth : s.depths) {
      for (const std::string& arm : s.arms) {
        if (s.seeds > 0) {
          cells.push_back({width, depth, arm});
        }
      }
    }
  }
  return cells;
}

/// The depth whose layers are looked at one by one: 50 if it is there, at the first width.
inline int explained_depth(const MoonsSettings& s) {
  for (const int depth : s.depths) {
    if (depth == 50) {
      return depth;
    }
  }
  return s.depths.back();
}
inline bool is_explained(const Cell& cell, const MoonsSettings& s) {
  return cell.width == s.widths.front() && cell.depth == explained_depth(s);
}
inline constexpr int tenths_of_depth = 10;

/// One network on images.
struct DeepArm {
  int seed = 1;
  std::string arm = "relu";

  [[nodiscard]] std::string unit() const { return kit::format("images-seed%d-%s", seed, arm.c_str()); }
  [[nodiscard]] ex::Factors factors(const char* part, const DeepSettings& s) const {
    return {{"part", part},
            {"arm", arm},
            {"width", std::to_string(s.width)},
            {"depth", std::to_string(s.depth)},
            {"at", std::to_string(seed)}};
  }
};

inline std::vector<DeepArm> deep_arms_of(const DeepSettings& s) {
  std::vector<DeepArm> all;
  for (int seed = 1; seed <= s.seeds; ++seed) {
    for (const std::string& arm : s.arms) {
      all.push_back({seed, arm});
    }
  }
  return all;
}
