#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <regimen/report.hpp>
#include <regimen/statistics/mean.hpp>
#include <regimen/stop/met.hpp>

#include "kit/claims.hpp"
#include "kit/format.hpp"
#include "kit/pictures.hpp"
#include "settings.hpp"

/// A training on clusters: the numbers at its start and all its epochs. Step i is epochs[i - 1].
struct ClusterRun {
  const ex::Result* start;
  rg::History first;                ///< scored at each step
  std::vector<rg::Epoch> scored{};  ///< all scored epochs of both jobs, their clocks counted from the start

  [[nodiscard]] static bool all_true(const rg::Epoch& epoch) { return epoch.clean.accuracy == 1; }

  /// The first or the last step at which every point, wrongly labelled or not, is predicted by its true label; NaN
  /// without one.
  [[nodiscard]] double window(bool last) const {
    double step = rg::unknown;
    for (const rg::Epoch& epoch : scored) {
      if (all_true(epoch) && (last || std::isnan(step))) {
        step = static_cast<double>(epoch.clock.step);
      }
    }
    return step;
  }
  [[nodiscard]] const rg::Epoch& at_theory() const {
    const auto step = static_cast<std::size_t>(std::max(1.0, std::ceil(start->measure("i_0"))));
    return first.epochs.at(std::min(step, first.size()) - 1);
  }
};

inline std::vector<ClusterRun> runs_of(const ClusterArm& cell, const ex::Results& results, int seeds) {
  std::vector<ClusterRun> runs;
  for (ClusterArm arm = cell; arm.seed <= seeds; ++arm.seed) {
    const ex::Result* const start = results.find(arm.factors("start"));
    const ex::Result* const first = results.find(arm.factors("first"));
    const ex::Result* const end = results.find(arm.factors("end"));
    if (start == nullptr || first == nullptr || end == nullptr) {
      continue;
    }
    runs.push_back({start, first->history, first->history.epochs});
    for (rg::Epoch epoch : end->history) {
      if (epoch.scored()) {
        epoch.clock.step += first->history.back().clock.step;
        runs.back().scored.push_back(std::move(epoch));
      }
    }
  }
  return runs;
}

/// The mean of a number of each run with its interval.
template <class Run, class Number>
rg::Interval mean_of(const std::vector<Run>& runs, const Number& number) {
  std::vector<double> values;
  for (const Run& run : runs) {
    values.push_back(number(run));
  }
  return rg::mean_interval(values);
}

/// "3-12": the least and the largest number of the runs.
template <class Run, class Number>
std::string range_of(const std::vector<Run>& runs, const Number& number) {
  double least = INFINITY, largest = -INFINITY;
  for (const Run& run : runs) {
    const double value = number(run);
    least = std::min(least, value);
    largest = std::max(largest, value);
  }
  return least == largest ? kit::format("%.0f", least) : kit::format("%.0f-%.0f", least, largest);
}

/// A rule's stops in some trainings: the epoch of each, without those that it never ends.
struct Stops {
  std::vector<const rg::Epoch*> at{};
  std::size_t runs = 0;

  void add(const Rule& rule, const rg::History& history) {
    ++runs;
    if (const auto i = rg::first_met(rule.stop, history)) {
      at.push_back(&history.epochs[*i]);
    }
  }
  [[nodiscard]] std::string range(bool steps) const {
    const auto when = [&](const rg::Epoch* epoch) {
      return static_cast<double>(steps ? epoch->clock.step : epoch->clock.epoch);
    };
    const std::string never = at.size() < runs ? kit::format(", %zu never", runs - at.size()) : "";
    return at.empty() ? "never" : range_of(at, when) + never;
  }
};

inline double measure_of(const rg::Epoch& epoch, const std::string& name) {
  const auto found = epoch.measures.find(name);
  return found == epoch.measures.end() ? rg::unknown : found->second;
}

/// Whether a cell is one that the paper's statement is checked in: its assumptions ask for few wrong labels.
inline bool is_checked(const ClusterArm& cell) {
  return cell.radius <= 20 && cell.noise <= 30;
}

/// The table on clusters, with its statements.
inline rg::report::Table clusters_table(const std::vector<std::pair<ClusterArm, std::vector<ClusterRun>>>& cells,
                                        kit::Claims& claims) {
  using rg::report::Kind;
  rg::report::Table table({{.name = "radius %", .kind = Kind::whole},
                           {.name = "wrong %", .kind = Kind::whole},
                           {.name = "activation"},
                           {.name = "all true in"},
                           {.name = "from step"},
                           {.name = "to step"},
                           {.name = "I_0"},
                           {.name = "true at I_0 %", .kind = Kind::number, .digits = 1},
                           {.name = "distance at I_0", .kind = Kind::interval, .digits = 1},
                           {.name = "fitted", .kind = Kind::interval, .digits = 0},
                           {.name = "steps", .kind = Kind::interval, .digits = 0},
                           {.name = "s_K / s_K+1", .kind = Kind::interval, .digits = 1}});
  for (const auto& [cell, runs] : cells) {
    const auto with_window = std::count_if(runs.begin(), runs.end(), [](const ClusterRun& run) {
      return !std::isnan(run.window(false));
    });
    double least = 1, ratio = INFINITY, cliff = INFINITY, unlearned = 0;
    for (const ClusterRun& run : runs) {
      least = std::min(least, measure_of(run.at_theory(), "recovered"));
      ratio = std::min(ratio, measure_of(run.scored.back(), "distance") / measure_of(run.at_theory(), "distance"));
      cliff = std::min(cliff, run.start->measure("cluster_value") / run.start->measure("next_value"));
      unlearned = std::max(unlearned, 1 - measure_of(run.scored.back(), "memorized"));
    }
    const bool some = with_window > 0;
    std::vector<ClusterRun> seen;
    std::copy_if(runs.begin(), runs.end(), std::back_inserter(seen), [](const ClusterRun& run) { return !std::isnan(run.window(false)); });
    table.add({cell.radius, cell.noise, cell.activation, kit::format("%td of %zu", with_window, runs.size()),
               some ? range_of(seen, [](const ClusterRun& run) { return run.window(false); }) : "-",
               some ? range_of(seen, [](const ClusterRun& run) { return run.window(true); }) : "-",
               range_of(runs, [](const ClusterRun& run) { return run.start->measure("i_0"); }), 100 * least,
               mean_of(runs, [](const ClusterRun& run) { return measure_of(run.at_theory(), "distance"); }),
               mean_of(runs, [](const ClusterRun& run) { return measure_of(run.scored.back(), "distance"); }),
               mean_of(runs, [](const ClusterRun& run) { return static_cast<double>(run.scored.back().clock.step); }),
               mean_of(runs, [](const ClusterRun& run) {
                 return run.start->measure("cluster_value") / run.start->measure("next_value");
               })});
    if (is_checked(cell)) {
      const std::string where = kit::format("radius %d %%, %d %% wrong, %s: ", cell.radius, cell.noise, cell.activation.c_str());
      claims.add(least == 1, where + kit::format("at I_0 every wrong label is predicted truly (least %.3f)", least));
      claims.add(unlearned == 0, where + "in the end all wrong labels are fitted");
      claims.add(ratio >= 8, where + kit::format("their fit lies at least 8 times as far from the start (%.0f times)", ratio));
      claims.add(cliff >= 4, where + kit::format("as many singular values as clusters stand out (4 times, here %.1f)", cliff));
    }
  }
  table.note("All true: every point is predicted by its true label, from the first such step to the last, by seed. I_0: the");
  table.note("theorem's scale. Fitted: the distance at which all wrong labels are fitted, after so many steps. s_K / s_K+1:");
  table.note("singular values of the Jacobian at the start, K the number of clusters. Means with Student-t 95 % intervals.");
  return table;
}

inline rg::report::Table rules_table(const std::vector<std::pair<ClusterArm, std::vector<ClusterRun>>>& cells,
                                     const EarlySettings& s, kit::Claims& claims) {
  using rg::report::Kind;
  rg::report::Table table({{.name = "rule"},
                           {.name = "radius %", .kind = Kind::whole},
                           {.name = "wrong %", .kind = Kind::whole},
                           {.name = "stops at step"},
                           {.name = "predicted truly %", .kind = Kind::interval, .digits = 1},
                           {.name = "all"}});
  const double budget = 1.5 * std::sqrt(s.clusters);
  for (std::size_t i = 0; i < rules_for(0.5, budget).size(); ++i) {
    for (const auto& [cell, runs] : cells) {
      if (cell.activation != cells.front().first.activation) {
        continue;
      }
      const Rule rule = rules_for(cell.noise / 100.0, budget)[i];
      Stops stops;
      for (const ClusterRun& run : runs) {
        stops.add(rule, run.first);
      }
      const auto recovered = [](const rg::Epoch* epoch) { return 100 * measure_of(*epoch, "recovered"); };
      const auto all = std::count_if(stops.at.begin(), stops.at.end(), [&](const rg::Epoch* epoch) { return recovered(epoch) == 100; });
      table.add({rule.name, cell.radius, cell.noise, stops.range(true), mean_of(stops.at, recovered),
                 kit::format("%td of %zu", all, stops.runs)});
      if (i == 0 && is_checked(cell)) {
        claims.add(static_cast<std::size_t>(all) == stops.runs,
                   kit::format("radius %d %%, %d %% wrong: where the ", cell.radius, cell.noise) + rule.name + ", every wrong label is predicted truly");
      }
    }
  }
  table.note("Predicted truly: of the points with a wrong label, at the rule's stop. All: seeds in which it is every one.");
  return table;
}

inline void show_results(const ex::Results& results, const EarlySettings& s, bool check) {
  kit::Claims claims;
  std::vector<std::pair<ClusterArm, std::vector<ClusterRun>>> cells;
  for (const ClusterArm& cell : cells_of(s)) {
    if (std::vector<ClusterRun> runs = runs_of(cell, results, s.seeds); !runs.empty()) {
      cells.emplace_back(cell, std::move(runs));
    }
  }
  std::string text = rg::report::terminal(clusters_table(cells, claims), {.width = 200}) + "\n" +
                     rg::report::terminal(rules_table(cells, s, claims)) + "\n" + claims.text();
  kit::show_text(text, s.out, "results.csv");
  (void)check;
}
