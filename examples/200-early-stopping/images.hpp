#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "table.hpp"

/// The trainings on images with one share of random labels that have not diverged.
struct ImageCell {
  int wrong = 0;
  std::vector<rg::History> runs{};

  /// The epoch with the best test accuracy, which no rule may know.
  static const rg::Epoch& best(const rg::History& run) {
    return *std::max_element(run.begin(), run.end(),
                             [](const auto& a, const auto& b) { return a.test.accuracy < b.test.accuracy; });
  }
  /// The share of labels that are wrong: a random label may be the true one.
  [[nodiscard]] double share() const { return wrong * 0.9 / 100; }
};

inline std::vector<ImageCell> finished_images(const ex::Results& results, const EarlySettings& s) {
  std::vector<ImageCell> cells;
  for (const int wrong : s.wrong) {
    ImageCell cell{wrong};
    for (ImageArm arm{1, wrong}; arm.seed <= s.image_seeds; ++arm.seed) {
      if (const ex::Result* const result = results.find(arm.factors()); result != nullptr && !result->diverged()) {
        cell.runs.push_back(result->history);
      }
    }
    if (!cell.runs.empty()) {
      cells.push_back(std::move(cell));
    }
  }
  return cells;
}

inline rg::report::Table images_table(const std::vector<ImageCell>& cells, kit::Claims& claims) {
  using rg::report::Kind;
  rg::report::Table table({{.name = "random %", .kind = Kind::whole},
                           {.name = "best test %", .kind = Kind::interval},
                           {.name = "in epoch"},
                           {.name = "last test %", .kind = Kind::interval},
                           {.name = "lost (points)", .kind = Kind::interval},
                           {.name = "fit %", .kind = Kind::number, .digits = 1},
                           {.name = "recovered: best, last %", .key = "recovered"},
                           {.name = "distance: best, last", .key = "distance"}});
  for (const ImageCell& cell : cells) {
    const auto both = [&](const std::string& name, const char* format, double unit) {
      return kit::format(
          format,
          kit::mean_of(cell.runs, [&](const auto& run) { return unit * rg::value_of(ImageCell::best(run), name); })
              .mean,
          kit::mean_of(cell.runs, [&](const auto& run) { return unit * rg::value_of(run.back(), name); }).mean);
    };
    const auto lost = [](const auto& run) {
      return 100 * (ImageCell::best(run).test.accuracy - run.back().test.accuracy);
    };
    table.add({cell.wrong,
               kit::mean_of(cell.runs, [](const auto& run) { return 100 * ImageCell::best(run).test.accuracy; }),
               kit::range_of(kit::values_of(
                   cell.runs, [](const auto& run) { return static_cast<double>(ImageCell::best(run).clock.epoch); })),
               kit::mean_of(cell.runs, [](const auto& run) { return 100 * run.back().test.accuracy; }),
               kit::mean_of(cell.runs, lost),
               kit::mean_of(cell.runs, [](const auto& run) { return 100 * run.back().fit.accuracy; }).mean,
               cell.wrong > 0 ? both("recovered", "%.0f -> %.0f", 100) : "-", both("distance", "%.1f -> %.1f", 1)});
    if (cell.wrong >= 30) {
      const double least = cell.wrong / 1000.0 + 0.02;  // 5 points at 30 %, 7 at 50 %: about half of what was seen
      double worst = 1, kept = 1, left = 0, farther = INFINITY;
      for (const rg::History& run : cell.runs) {
        const rg::Epoch& best = ImageCell::best(run);
        worst = std::min(worst, best.test.accuracy - run.back().test.accuracy);
        kept = std::min(kept, rg::value_of(best, "recovered"));
        left = std::max(left, rg::value_of(run.back(), "recovered"));
        farther = std::min(farther, rg::value_of(run.back(), "distance") / rg::value_of(best, "distance"));
      }
      const std::string where = kit::format("images, %d %% random: ", cell.wrong);
      claims.add(worst >= least,
                 where + kit::format("the last epoch loses at least %.0f points of the best (least %.1f)", 100 * least,
                                     100 * worst));
      claims.add(kept >= 0.6 && left <= 0.15,
                 where + kit::format("true labels recovered fall from 60 %% or more to 15 or less (%.0f, %.0f)",
                                     100 * kept, 100 * left));
      claims.add(farther >= 2, where + kit::format("at no less than twice the distance (least %.1f times)", farther));
    }
  }
  table.note(
      "Recovered: wrongly labelled images that the network takes for what they are. Best and last: epochs by test "
      "accuracy,");
  table.note("which a rule cannot see. Means over the seeds with Student-t 95 % intervals.");
  return table;
}

inline rg::report::Table image_rules_table(const std::vector<ImageCell>& cells, kit::Claims& claims) {
  using rg::report::Kind;
  rg::report::Table table({{.name = "rule"},
                           {.name = "random %", .kind = Kind::whole},
                           {.name = "stops in epoch"},
                           {.name = "test then %", .kind = Kind::interval},
                           {.name = "below best (points)", .kind = Kind::interval},
                           {.name = "above last (points)", .kind = Kind::interval}});
  for (std::size_t i = 0; i < rules_for(0.5, 0).size(); ++i) {
    for (const ImageCell& cell : cells) {
      const std::vector<Rule> rules = rules_for(cell.share(), 0);
      if (i >= rules.size()) {
        continue;
      }
      Stops stops;
      std::vector<double> below, above;
      for (const rg::History& run : cell.runs) {
        stops.add(rules[i], run);
        if (rg::first_met(rules[i].stop, run)) {
          below.push_back(100 * (ImageCell::best(run).test.accuracy - stops.at.back().test.accuracy));
          above.push_back(100 * (stops.at.back().test.accuracy - run.back().test.accuracy));
        }
      }
      table.add({rules[i].name, cell.wrong, stops.range(),
                 kit::mean_of(stops.at, [](const auto& epoch) { return 100 * epoch.test.accuracy; }),
                 rg::mean_interval(below), rg::mean_interval(above)});
      if (i == 1 && cell.wrong >= 30) {
        const double mean = rg::mean_interval(above).mean;
        claims.add(
            above.size() == cell.runs.size() && mean >= 2,
            kit::format("images, %d %% random: Label Wave stops above the last epoch, by 2 points in the mean (%.1f)",
                        cell.wrong, mean));
      }
    }
  }
  return table;
}
