#pragma once
// No LibTorch.

#include <string>
#include <vector>

#include "kit/format.hpp"

/// An attack, with its name in results.csv and in tables.
struct Attack {
  std::string key;
  std::string name;
  bool with_references = false;  ///< whether it compares with networks that were trained alike
};

inline std::vector<Attack> attacks() {
  return {{"gap", "gap"}, {"loss", "loss"}, {"entropy", "entropy"}, {"lira", "LiRA", true}, {"rmia", "RMIA", true}};
}

/// The points of an attack's curve in results.csv, at false positive rates of 10^(-i / 4).
constexpr int curve_points = 15;
inline std::string curve_point(const std::string& attack, int i) {
  return attack + kit::format("_roc_%02d", i);
}
