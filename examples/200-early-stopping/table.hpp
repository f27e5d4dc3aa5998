#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <regimen/experiment.hpp>
#include <regimen/report.hpp>
#include <regimen/stop/met.hpp>

#include "kit/claims.hpp"
#include "kit/format.hpp"
#include "kit/over_runs.hpp"
#include "settings.hpp"

/// A training on clusters.
struct ClusterRun {
  const ex::Result* start = nullptr;  ///< of which the measures are the numbers at the start
  rg::History first{};                ///< scored at each step
  std::vector<rg::Epoch> scored{};    ///< all scored epochs, their steps counted from the start

  /// Whether every point, wrongly labelled or not, is predicted by its true label.
  static bool is_all_true(const rg::Epoch& epoch) { return epoch.clean.accuracy == 1; }

  /// The first or the last step at which it is so; NaN without one.
  [[nodiscard]] double all_true(bool last) const {
    double step = rg::unknown;
    for (const rg::Epoch& epoch : scored) {
      if (is_all_true(epoch) && (last || std::isnan(step))) {
        step = static_cast<double>(epoch.clock.step);
      }
    }
    return step;
  }
  [[nodiscard]] const rg::Epoch& at_theory() const {
    const auto step = static_cast<std::size_t>(std::ceil(start->measure("i_0")));
    return first.epochs.at(std::clamp<std::size_t>(step, 1, first.size()) - 1);
  }
  /// At the theorem's number of steps.
  [[nodiscard]] double distance() const { return rg::value_of(at_theory(), "distance"); }

  [[nodiscard]] bool is_fitted() const { return rg::value_of(scored.back(), "memorized") == 1; }
  /// NaN if the wrong labels are not all fitted.
  [[nodiscard]] double distance_to_fit() const {
    return is_fitted() ? rg::value_of(scored.back(), "distance") : rg::unknown;
  }
  [[nodiscard]] double steps_to_fit() const {
    return is_fitted() ? static_cast<double>(scored.back().clock.step) : rg::unknown;
  }
};

/// A row of the table on clusters, with the runs of all finished seeds that have not diverged.
struct ClusterCell {
  ClusterArm arm;
  std::vector<ClusterRun> runs{};

  /// Whether the theorem's assumptions nearly hold: small clusters, few wrong labels.
  [[nodiscard]] bool is_checked() const { return arm.radius <= 20 && arm.noise <= 30; }
};

inline std::vector<ClusterCell> finished_cells(const ex::Results& results, const EarlySettings& s) {
  std::vector<ClusterCell> cells;
  for (const ClusterArm& arm : cells_of(s)) {
    ClusterCell cell{arm};
    for (ClusterArm one = arm; one.seed <= s.seeds; ++one.seed) {
      const ex::Result* const start = results.find(one.factors("start"));
      const ex::Result* const first = results.find(one.factors("first"));
      const ex::Result* const end = results.find(one.factors("end"));
      if (start == nullptr || first == nullptr || end == nullptr || first->diverged() || end->diverged()) {
        continue;
      }
      cell.runs.push_back({start, first->history, first->history.epochs});
      for (rg::Epoch epoch : end->history) {
        if (epoch.scored()) {
          epoch.clock.step += first->history.back().clock.step;
          cell.runs.back().scored.push_back(std::move(epoch));
        }
      }
    }
    if (!cell.runs.empty()) {
      cells.push_back(std::move(cell));
    }
  }
  return cells;
}

inline rg::report::Table clusters_table(const std::vector<ClusterCell>& cells) {
  using rg::report::Kind;
  rg::report::Table table({{.name = "radius %", .kind = Kind::whole},
                           {.name = "wrong %", .kind = Kind::whole},
                           {.name = "activation"},
                           {.name = "all true in", .key = "all_true_in"},
                           {.name = "from", .key = "all_true_from"},
                           {.name = "to step", .key = "all_true_to"},
                           {.name = "I_0", .kind = Kind::interval, .digits = 1},
                           {.name = "true then %", .key = "true_at_i_0", .kind = Kind::number, .digits = 1},
                           {.name = "distance", .key = "distance_at_i_0", .kind = Kind::interval, .digits = 1},
                           {.name = "fitted in", .key = "fitted_in"},
                           {.name = "at", .key = "distance_fitted", .kind = Kind::interval, .digits = 0},
                           {.name = "in steps", .key = "steps_fitted", .kind = Kind::interval, .digits = 0}});
  for (const auto& [arm, runs] : cells) {
    const auto from = kit::values_of(runs, [](const auto& run) { return run.all_true(false); });
    const auto to = kit::values_of(runs, [](const auto& run) { return run.all_true(true); });
    const auto steps = kit::values_of(runs, [](const auto& run) { return run.steps_to_fit(); });
    table.add({arm.radius, arm.noise, arm.activation, kit::format("%zu of %zu", from.size(), runs.size()),
               kit::range_of(from), kit::range_of(to),
               kit::mean_of(runs, [](const auto& run) { return run.start->measure("i_0"); }),
               kit::mean_of(runs, [](const auto& run) { return 100 * run.at_theory().clean.accuracy; }).mean,
               kit::mean_of(runs, [](const auto& run) { return run.distance(); }),
               kit::format("%zu of %zu", steps.size(), runs.size()),
               kit::mean_of(runs, [](const auto& run) { return run.distance_to_fit(); }), rg::mean_interval(steps)});
  }
  table.note(
      "All true: every point, wrongly labelled or not, is predicted by its true label; least and largest step of the");
  table.note(
      "seeds, from step 100 on to within 20. I_0: the theorem's number of steps; points predicted truly then, and the");
  table.note(
      "distance from the start. Fitted: all wrong labels, at this distance. Means with Student-t 95 % intervals.");
  return table;
}

/// The paper's statements, for the cells where they are checked.
inline void claim_clusters(const std::vector<ClusterCell>& cells, kit::Claims& claims) {
  std::size_t runs = 0, truly = 0, fitted = 0;
  double farther = INFINITY, cliff = INFINITY, at_10 = 0, at_20 = 0;
  for (const ClusterCell& cell : cells) {
    for (const ClusterRun& run : cell.is_checked() ? cell.runs : std::vector<ClusterRun>{}) {
      ++runs;
      truly += ClusterRun::is_all_true(run.at_theory()) ? 1 : 0;
      fitted += run.is_fitted() ? 1 : 0;
      farther = std::min(farther, run.is_fitted() ? run.distance_to_fit() / run.distance() : 0);
      cliff = std::min(cliff, run.start->measure("cliff"));
    }
    if (cell.arm.noise == 20 && cell.arm.activation == "softplus") {
      const double far = kit::mean_of(cell.runs, [](const auto& run) { return run.distance_to_fit(); }).mean;
      at_10 = cell.arm.radius == 10 ? far : at_10;
      at_20 = cell.arm.radius == 20 ? far : at_20;
    }
  }
  if (runs > 0) {
    claims.add(truly == runs,
               kit::format("every point is predicted by its true label at I_0 (%zu of %zu runs)", truly, runs));
    claims.add(fitted == runs, kit::format("every wrong label is fitted in the end (%zu of %zu runs)", fitted, runs));
    claims.add(
        farther >= 8,
        kit::format("wrong labels are fitted at 8 times the distance at I_0 or more (least %.0f times)", farther));
    claims.add(cliff >= 4,
               kit::format("the Jacobian's K-th singular value is at least 4 times the next (least %.1f)", cliff));
  }
  if (at_10 > 0 && at_20 > 0) {
    claims.add(at_10 / at_20 >= 1.3 && at_10 / at_20 <= 2.2,
               kit::format("half the radius takes 1.3 to 2.2 times the distance (%.2f times)", at_10 / at_20));
  }
}

inline rg::report::Table jacobian_table(const std::vector<ClusterCell>& cells) {
  using rg::report::Kind;
  rg::report::Table table({{.name = "radius %", .kind = Kind::whole},
                           {.name = "wrong %", .kind = Kind::whole},
                           {.name = "activation"},
                           {.name = "s_1", .kind = Kind::interval},
                           {.name = "s_K", .kind = Kind::interval},
                           {.name = "s_K+1", .kind = Kind::interval, .digits = 3},
                           {.name = "s_K / s_K+1", .key = "cliff", .kind = Kind::interval, .digits = 1},
                           {.name = "labels in K %", .key = "labels_inside", .kind = Kind::interval, .digits = 1},
                           {.name = "noise in K %", .key = "noise_inside", .kind = Kind::interval, .digits = 1}});
  for (const auto& [arm, runs] : cells) {
    const auto mean = [&runs = runs](const std::string& name, double unit = 1) {
      return kit::mean_of(runs, [&](const auto& run) { return unit * run.start->measure(name); });
    };
    table.add({arm.radius, arm.noise, arm.activation, mean("value_01"), mean("value_10"), mean("value_11"),
               mean("cliff"), mean("labels_inside", 100), mean("noise_inside", 100)});
  }
  table.note(
      "Singular values of the Jacobian at the start; K = 10 clusters. In K: the share of the true labels' squares, "
      "and");
  table.note(
      "of the wrong labels' differences from them, that lies in the K largest left singular vectors, which are fitted "
      "first.");
  return table;
}

/// A rule's stops in some trainings.
struct Stops {
  std::vector<rg::Epoch> at{};  ///< without trainings that it never ends
  std::size_t runs = 0;

  void add(const Rule& rule, const rg::History& history) {
    ++runs;
    if (const auto i = rg::first_met(rule.stop, history)) {
      at.push_back(history.epochs[*i]);
    }
  }
  [[nodiscard]] std::string range() const {
    const std::string never = at.size() < runs ? kit::format(", never in %zu", runs - at.size()) : "";
    return at.empty()
               ? "never"
               : kit::range_of(kit::values_of(at, [](const auto& e) { return static_cast<double>(e.clock.epoch); })) +
                     never;
  }
};

inline rg::report::Table rules_table(const std::vector<ClusterCell>& cells, const EarlySettings& s,
                                     kit::Claims& claims) {
  using rg::report::Kind;
  rg::report::Table table({{.name = "rule"},
                           {.name = "radius %", .kind = Kind::whole},
                           {.name = "wrong %", .kind = Kind::whole},
                           {.name = "stops at step"},
                           {.name = "true then %", .kind = Kind::interval, .digits = 1},
                           {.name = "all true in"}});
  const double budget = 1.5 * std::sqrt(s.clusters);
  std::size_t right = 0, checked = 0;
  for (std::size_t i = 0; i < rules_for(0.5, budget).size(); ++i) {
    for (const ClusterCell& cell : cells) {
      if (cell.arm.activation != cells.front().arm.activation) {
        continue;
      }
      const Rule rule = rules_for(cell.arm.noise / 100.0, budget)[i];
      Stops stops;
      for (const ClusterRun& run : cell.runs) {
        stops.add(rule, run.first);
      }
      const auto all =
          static_cast<std::size_t>(std::count_if(stops.at.begin(), stops.at.end(), ClusterRun::is_all_true));
      table.add({rule.name, cell.arm.radius, cell.arm.noise, stops.range(),
                 kit::mean_of(stops.at, [](const auto& epoch) { return 100 * epoch.clean.accuracy; }),
                 kit::format("%zu of %zu", all, stops.runs)});
      if (i == 0 && cell.is_checked()) {
        right += all;
        checked += stops.runs;
      }
    }
  }
  table.note("Clusters with " + cells.front().arm.activation + ". True then, all true: as above, at the rule's stop.");
  if (checked > 0) {
    claims.add(
        right == checked,
        kit::format("a stop where the training loss falls by less than 1 %% has every point right (%zu of %zu runs)",
                    right, checked));
  }
  return table;
}
