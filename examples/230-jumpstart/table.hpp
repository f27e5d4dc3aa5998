#pragma once
// The tables, and whether the statements hold.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <regimen/experiment.hpp>
#include <regimen/report.hpp>
#include <regimen/statistics.hpp>

#include "kit/claims.hpp"
#include "kit/format.hpp"
#include "kit/over_runs.hpp"
#include "settings.hpp"

using rg::report::Kind;
using rg::report::Table;

/// The seeds of a cell.
struct CellResults {
  Cell cell;
  ex::Results seeds;

  /// A measure of each seed that has not diverged.
  [[nodiscard]] std::vector<double> values(const char* measure) const {
    return kit::values_of(seeds, [&](const auto& each) { return each.measure(measure); });
  }
  [[nodiscard]] rg::Interval mean(const char* measure) const { return rg::mean_interval(values(measure)); }
  /// The least and the largest over the seeds; NaN if all have diverged.
  [[nodiscard]] double worst(const char* measure) const {
    const std::vector<double> all = values(measure);
    return all.empty() ? rg::unknown : *std::min_element(all.begin(), all.end());
  }
  [[nodiscard]] double most(const char* measure) const {
    const std::vector<double> all = values(measure);
    return all.empty() ? rg::unknown : *std::max_element(all.begin(), all.end());
  }
  /// Seeds that had 95 % of the training points right at some score.
  [[nodiscard]] std::int64_t reached() const { return std::llround(mean("reached").mean * count()); }
  [[nodiscard]] double count() const { return static_cast<double>(seeds.size()); }
  [[nodiscard]] rg::Proportion share_reached() const {
    return rg::wilson_interval(reached(), static_cast<std::int64_t>(seeds.size()));
  }
};

/// All cells of which all seeds are there.
inline std::vector<CellResults> finished_cells(const ex::Results& results, const MoonsSettings& s) {
  std::vector<CellResults> all;
  for (const Cell& cell : cells_of(s)) {
    ex::Results seeds = results.where({{"part", of_seeds},
                                       {"arm", cell.arm},
                                       {"width", std::to_string(cell.width)},
                                       {"depth", std::to_string(cell.depth)}});
    if (seeds.size() == static_cast<std::size_t>(s.seeds)) {
      all.push_back({cell, std::move(seeds)});
    }
  }
  return all;
}

inline const CellResults* find(const std::vector<CellResults>& cells, int width, int depth, const std::string& arm) {
  const auto found = std::find_if(cells.begin(), cells.end(), [&](const CellResults& each) {
    return each.cell.width == width && each.cell.depth == depth && each.cell.arm == arm;
  });
  return found == cells.end() ? nullptr : &*found;
}

inline Table moons_table(const std::vector<CellResults>& cells) {
  Table table({{.name = "width", .kind = Kind::whole},
               {.name = "depth", .kind = Kind::whole},
               {.name = "network"},
               {.name = "seeds that reach 95 %", .key = "reached", .align = rg::report::Align::right},
               {.name = "after epochs (their median)", .key = "epochs", .kind = Kind::number, .digits = 0},
               {.name = "best, mean", .key = "best", .kind = Kind::interval, .digits = 3},
               {.name = "end, mean", .key = "end", .kind = Kind::interval, .digits = 3},
               {.name = "end, worst", .key = "worst", .kind = Kind::number, .digits = 3},
               {.name = "held out, mean", .key = "test", .kind = Kind::interval, .digits = 3},
               {.name = "diverged", .kind = Kind::whole}},
              "1. Two moons: accuracy on the 85 training points");
  for (const CellResults& each : cells) {
    std::vector<double> epochs =
        kit::values_of(each.seeds, [](const auto& seed) { return seed.measure("epochs_to_95"); });
    table.add({each.cell.width, each.cell.depth, title_of(each.cell.arm),
               kit::format("%d of %zu", static_cast<int>(each.reached()), each.seeds.size()),
               epochs.empty() ? rg::report::Cell(rg::report::Missing{}) : rg::report::Cell(rg::median(epochs)),
               each.mean("best"), each.mean("end"), each.worst("end"), each.mean("test"),
               std::llround(each.mean("diverged").mean * each.count())});
  }
  return table;
}

/// What the units do before and after training, in cells of one width. Units that are neither dead nor separating are
/// affine.
inline Table units_table(const std::vector<CellResults>& cells, int width) {
  std::vector<rg::report::Column> columns{{.name = "depth", .kind = Kind::whole}, {.name = "network"}};
  for (const char* const what : {"dead", "separating", "dead points"}) {
    for (const char* const when : {"before", "after"}) {
      const bool first = std::string(when) == "before";
      columns.push_back({.name = first ? std::string(what) + ": before" : when,
                         .key = std::string(what) + "_" + when,
                         .kind = Kind::percent,
                         .digits = 0});
    }
  }
  Table table(std::move(columns),
              kit::format("2. Two moons, width %d: shares of units, and of points for which a whole "
                          "layer is dead, as means over layers and seeds",
                          width));
  for (const CellResults& each : cells) {
    if (each.cell.width != width) {
      continue;
    }
    std::vector<rg::report::Cell> row{each.cell.depth, title_of(each.cell.arm)};
    for (const char* const what : {"dead", "separating", "dead_points"}) {
      for (const char* const when : {"_before", "_after"}) {
        row.emplace_back(each.mean((std::string(what) + when).c_str()).mean);
      }
    }
    table.add(std::move(row));
  }
  return table;
}

/// A training accuracy that the authors publish: one run, of width 4.
struct Published {
  int depth;
  double relu;
  double jumpstart;
};
inline const std::vector<Published>& published() {
  static const std::vector<Published> all{{10, 1.00, 1.00}, {20, 0.518, 1.00}, {50, 0.518, 0.953}, {100, 0.518, 0.894}};
  return all;
}
inline constexpr int published_width = 4;

/// The authors' cells beside ours, as far as both are there.
inline Table published_table(const std::vector<CellResults>& cells) {
  Table table({{.name = "depth", .kind = Kind::whole},
               {.name = "plain ReLU: theirs, one seed", .key = "relu_theirs", .kind = Kind::number, .digits = 3},
               {.name = "ours, mean", .key = "relu_ours", .kind = Kind::interval, .digits = 3},
               {.name = "least to most", .key = "relu_range"},
               {.name = "Jumpstart: theirs, one seed", .key = "jumpstart_theirs", .kind = Kind::number, .digits = 3},
               {.name = "ours (balanced), mean", .key = "jumpstart_ours", .kind = Kind::interval, .digits = 3},
               {.name = "least to most", .key = "jumpstart_range"}},
              "3. Two moons, width 4: published accuracies on the training points (one run; there the sum of "
              "squared slacks with strength 1e-4, 5,000 epochs), and ours at the end");
  const auto range = [](const CellResults& of) { return kit::format("%.3f to %.3f", of.worst("end"), of.most("end")); };
  for (const Published& theirs : published()) {
    const CellResults* const relu = find(cells, published_width, theirs.depth, "relu");
    const CellResults* const jumpstart = find(cells, published_width, theirs.depth, "balanced");
    if (relu != nullptr && jumpstart != nullptr) {
      table.add({theirs.depth, theirs.relu, relu->mean("end"), range(*relu), theirs.jumpstart, jumpstart->mean("end"),
                 range(*jumpstart)});
    }
  }
  return table;
}

/// Adds what the cells of one shape say of the statements. The bounds leave room for other initial weights; some are
/// for the published width alone, since wider networks learn without Jumpstart too, up to some depth.
inline void claim_shape(const std::vector<CellResults>& cells, int width, int depth, kit::Claims& claims) {
  const std::string at = kit::format("width %d, depth %d: ", width, depth);
  const CellResults* const relu = find(cells, width, depth, "relu");
  const CellResults* const balanced = find(cells, width, depth, "balanced");
  if (relu != nullptr && depth >= 50) {
    claims.below(relu->most("best"), 0.62, at + "no seed of plain ReLU leaves the larger class's share");
  }
  if (relu != nullptr && balanced != nullptr && depth >= 50) {
    std::vector<double> gains;  // of seeds of which neither has diverged
    for (std::size_t i = 0; i < relu->seeds.size(); ++i) {
      const auto best = [&](const CellResults& of) {
        return (of.seeds.begin() + static_cast<std::ptrdiff_t>(i))->measure("best");
      };
      gains.push_back(best(*balanced) - best(*relu));
    }
    const rg::Interval gain = rg::mean_interval(kit::values_of(gains, [](double each) { return each; }));
    claims.add(gain.low() > 0, at + kit::format("Jumpstart's best is above plain ReLU's, from the same weights, by "
                                                "%.3f +- %.3f",
                                                gain.mean, gain.half_width));
  }
  if (balanced == nullptr) {
    return;
  }
  if (width == published_width) {
    claims.below(0.75, balanced->mean("best").mean,
                 at + "with Jumpstart networks reach it at some score: the mean of their best");
    if (depth <= 50) {
      claims.below(0.65, balanced->mean("end").mean, at + "and most end well: the mean of their last");
    }
    if (depth >= 20) {
      claims.below(balanced->mean("separating_before").mean, 0.5,
                   at + "at first fewer than half of the units separate");
      claims.below(0.8, balanced->mean("separating_after").mean, at + "with Jumpstart most do in the end");
    }
  }
  if (const CellResults* const units = find(cells, width, depth, "units"); units != nullptr && depth >= 50) {
    claims.below(balanced->mean("dead_points_after").mean, units->mean("dead_points_after").mean,
                 at + "units alone leave more points that a whole layer is dead for");
  }
  if (const CellResults* const points = find(cells, width, depth, "points"); points != nullptr && depth >= 20) {
    claims.below(points->mean("separating_after").mean, 0.4, at + "points alone leave most units dead or affine");
  }
}

/// The networks of one arm on images.
struct DeepResults {
  std::string arm;
  ex::Results seeds;
  ex::Results units;

  [[nodiscard]] rg::Interval accuracy() const {
    return rg::mean_interval(seeds.values([](const auto& each) { return 100 * each.test().accuracy; }));
  }
  [[nodiscard]] double unit(const char* measure) const {
    return kit::mean_of(units, [&](const auto& each) { return each.measure(measure); }).mean;
  }
};

inline std::vector<DeepResults> finished_images(const ex::Results& results, const DeepSettings& s) {
  std::vector<DeepResults> all;
  for (const std::string& arm : s.arms) {
    DeepResults of{arm, results.where({{"part", of_images}, {"arm", arm}}),
                   results.where({{"part", of_units}, {"arm", arm}})};
    if (!of.seeds.empty()) {
      all.push_back(std::move(of));
    }
  }
  return all;
}

inline Table images_table(const std::vector<DeepResults>& arms, const DeepSettings& s) {
  Table table({{.name = "network"},
               {.name = "seeds", .kind = Kind::whole},
               {.name = "test accuracy, %", .key = "test", .kind = Kind::interval, .digits = 1},
               {.name = "of each seed, %", .key = "each"},
               {.name = "separating units before", .kind = Kind::percent, .digits = 0},
               {.name = "after", .key = "separating_after", .kind = Kind::percent, .digits = 0},
               {.name = "dead points before", .kind = Kind::percent, .digits = 0},
               {.name = "after", .key = "dead_points_after", .kind = Kind::percent, .digits = 0}},
              kit::format("4. %d convolutions of width %d on %d images, %d epochs", s.depth, s.width,
                          static_cast<int>(s.images), s.epochs));
  for (const DeepResults& each : arms) {
    std::string all;
    for (const ex::Result& seed : each.seeds) {
      all += (all.empty() ? "" : ", ") + kit::format("%.1f", 100 * seed.test().accuracy);
    }
    table.add({title_of(each.arm), each.seeds.size(), each.accuracy(), all, each.unit("separating_before"),
               each.unit("separating_after"), each.unit("dead_points_before"), each.unit("dead_points_after")});
  }
  return table;
}

/// Adds what deep networks on images say of the statements: of ten classes, with a depth at which plain ones fail.
inline void claim_images(const std::vector<DeepResults>& arms, const DeepSettings& s, kit::Claims& claims) {
  const std::string at = kit::format("%d convolutions: ", s.depth);
  for (const DeepResults& each : arms) {
    const auto accuracies = each.seeds.values([](const auto& seed) { return seed.test().accuracy; });
    if (each.arm == "relu") {
      claims.below(*std::max_element(accuracies.begin(), accuracies.end()), 0.2, at + "no plain network learns");
    } else if (each.arm == "balanced") {
      claims.below(0.45, *std::min_element(accuracies.begin(), accuracies.end()), at + "with Jumpstart every one does");
      claims.below(0.9, each.unit("separating_after"), at + "with Jumpstart most units separate images");
    }
  }
}
