#pragma once
// No LibTorch. The tables, and whether the statements hold.

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <regimen/experiment.hpp>
#include <regimen/report.hpp>
#include <regimen/statistics.hpp>

#include "attack_names.hpp"
#include "kit/claims.hpp"
#include "kit/format.hpp"
#include "kit/over_runs.hpp"
#include "kit/sweep.hpp"
#include "settings.hpp"

using rg::report::Table;

/// The ridge tables' rows that have results.
struct Ridge {
  int ratio = 0;
  kit::Sweep penalties;
};

/// All that linear regression gave.
struct Linear {
  kit::Sweep law, latent, relu;
  std::vector<Ridge> ridge{};

  Linear(const ex::Results& results, const MembershipSettings& s)
      : law(results, {{"part", "law"}}, "at", s.ratios),
        latent(results, {{"part", "latent"}}, "at", s.other_ratios),
        relu(results, {{"part", "relu"}}, "at", s.other_ratios) {
    for (const int ratio : s.ridge_ratios) {
      kit::Sweep penalties(results, {{"part", ridge_part(ratio)}}, "at", s.penalties);
      if (!penalties.empty()) {
        ridge.push_back({ratio, std::move(penalties)});
      }
    }
  }
};

inline bool has(const kit::Sweep& sweep, int at) {
  return std::find(sweep.settings().begin(), sweep.settings().end(), at) != sweep.settings().end();
}

/// Adds the statement that the advantage is smaller at one ratio than at another, if there are both.
inline void claim_order(const kit::Sweep& sweep, int less, int more, const std::string& what, kit::Claims& claims) {
  if (has(sweep, less) && has(sweep, more)) {
    claims.below(sweep.mean(less, "measured").mean, sweep.mean(more, "measured").mean,
                 what + kit::format(": less at p / n = %.1f than at %.1f", less / 100.0, more / 100.0));
  }
}

inline Table law_table(const kit::Sweep& law, kit::Claims& claims) {
  double off_form = 0;
  for (const int at : law.settings()) {
    const double exact = law.mean(at, "exact").mean;
    claims.below(std::abs(law.mean(at, "off").mean), 0.01,
                 kit::format("p / n = %.1f: measured is the exact law", at / 100.0));
    off_form = at >= 150 ? std::max(off_form, std::abs(exact - law.mean(at, "form").mean)) : off_form;
    if (at == 110) {
      claims.within(law.mean(at, "form").mean - exact, 0.01, 0.04,
                    "next to the peak, at p / n = 1.1, the closed form is too large");
    }
    if (at == 200) {
      claims.below(exact, 0.05, "at p / n = 2 members and others can hardly be told");
    }
  }
  claims.below(off_form, 0.01, "from p / n = 1.5 on the closed form is the exact law");
  claim_order(law, 50, 80, "below the peak, more features leak more", claims);
  claim_order(law, 200, 150, "above the peak, more features leak less at first", claims);
  claim_order(law, 200, 500, "above 2 n, more features leak more", claims);
  claim_order(law, 500, 3000, "above 2 n, more features leak more", claims);
  return law.table("1. Linear regression on 100 points: advantage of the best attack", "p / n",
                   {{"exact law", "exact", 4},
                    {"closed form", "form", 4},
                    {"measured", "measured", 4},
                    {"measured - exact", "off", 4}},
                   100, 2);
}

inline Table features_table(const Linear& linear, kit::Claims& claims) {
  using rg::report::Kind;
  Table table({{.name = "p / n", .kind = Kind::number},
               {.name = "latent space", .kind = Kind::interval, .digits = 4},
               {.name = "ReLU features", .kind = Kind::interval, .digits = 4}},
              "2. Other features: advantage of the best attack, measured");
  for (const int at : linear.latent.settings()) {
    if (has(linear.relu, at)) {
      table.add({at / 100.0, linear.latent.mean(at, "measured"), linear.relu.mean(at, "measured")});
    }
  }
  for (const auto& [name, sweep] : {std::pair("latent space", &linear.latent), {"ReLU features", &linear.relu}}) {
    claim_order(*sweep, 50, 80, std::string(name) + ", below the peak more features leak more", claims);
    claim_order(*sweep, 500, 1000, std::string(name) + ", far above it, too", claims);
  }
  return table;
}

/// "rises", "falls, then rises": how an advantage goes with the penalty.
inline std::string course(const std::vector<double>& values) {
  const auto least = std::min_element(values.begin(), values.end());
  const double at_0 = values.front(), at_last = values.back();
  const bool falls = *least<at_0 - 0.002, rises = at_last> * least + 0.002;
  return falls && rises ? "falls, then rises" : falls ? "falls" : rises ? "rises" : "-";
}

inline Table ridge_table(const std::vector<Ridge>& ridge, kit::Claims& claims) {
  using rg::report::Kind;
  std::vector<rg::report::Column> columns{{.name = "p / n", .kind = Kind::number}};
  const std::vector<int>& penalties = ridge.front().penalties.settings();
  for (const int penalty : penalties) {
    columns.push_back({.name = std::to_string(penalty), .kind = Kind::interval, .digits = 3});
  }
  columns.push_back({.name = "with the penalty it"});
  Table table(std::move(columns), "3. Ridge regression: advantage of the best attack, by the penalty n lambda");
  for (const auto& [ratio, sweep] : ridge) {
    std::vector<rg::report::Cell> cells{ratio / 100.0};
    std::vector<double> means;
    for (const int penalty : penalties) {
      const bool there = has(sweep, penalty);
      cells.push_back(there ? rg::report::Cell(sweep.mean(penalty, "measured")) : rg::report::Missing{});
      if (there) {
        means.push_back(sweep.mean(penalty, "measured").mean);
      }
    }
    cells.emplace_back(course(means));
    table.add(std::move(cells));
    const std::string where = kit::format("ridge, p / n = %.1f: ", ratio / 100.0);
    if (has(sweep, 0) && has(sweep, 30) && has(sweep, 500)) {
      const double none = sweep.mean(0, "measured").mean, little = sweep.mean(30, "measured").mean;
      if (ratio == 110 || ratio == 150) {
        claims.below(little, none / 2, where + "a little ridge at least halves what leaks");
      }
      if (ratio == 300 || ratio == 500) {
        claims.below(none + 0.02, sweep.mean(500, "measured").mean, where + "more ridge leaks more, by 0.02");
      }
      if (ratio < 100) {
        claims.below(sweep.mean(500, "measured").mean, none, where + "with a penalty of 500 less leaks than without");
      }
    }
  }
  return table.note("Means over the seeds with Student-t 95 % intervals, of every table.");
}

/// The results of one arm, in all seeds of which every arm is complete.
struct ArmResults {
  Arm arm{};
  std::vector<ex::Result> attacks{};  ///< one a seed
  std::vector<double> test{};         ///< mean accuracy of the networks, one a seed, in percent
  std::vector<double> fit{};          ///< the same on their own data
  std::vector<double> epochs{};       ///< on the true labels

  [[nodiscard]] std::vector<double> values(const std::string& number) const {
    return kit::values_of(attacks, [&](const auto& each) { return each.measure(number); });
  }
  [[nodiscard]] rg::Interval mean(const std::string& number) const { return rg::mean_interval(values(number)); }
};

/// Empty unless a seed is complete, with no network that diverged.
inline std::vector<ArmResults> finished_arms(const ex::Results& results, const MembershipSettings& s) {
  std::vector<ArmResults> all;
  for (int seed = 1; seed <= s.image_seeds; ++seed) {
    std::vector<ArmResults> of_seed;
    for (const Arm& arm : arms_of(s, seed)) {
      ArmResults one{.arm = arm};
      std::vector<double> test, fit, epochs;
      for (int i = 0; i < s.networks; ++i) {
        if (const ex::Result* const network = results.find(arm.factors(std::to_string(i)))) {
          test.push_back(100 * network->test().accuracy);
          fit.push_back(100 * network->history.back().fit.accuracy);
          epochs.push_back(static_cast<double>(network->history.back().clock.epoch));
        }
      }
      const ex::Result* const attacks = results.find(arm.factors("attacks"));
      if (attacks != nullptr && !std::isnan(attacks->measure("loss_area"))) {
        one.attacks.push_back(*attacks);
        one.test.push_back(rg::mean_interval(test).mean);
        one.fit.push_back(rg::mean_interval(fit).mean);
        one.epochs.push_back(rg::mean_interval(epochs).mean);
        of_seed.push_back(std::move(one));
      }
    }
    if (of_seed.size() != arms_of(s, seed).size()) {
      continue;
    }
    if (all.empty()) {
      all = std::move(of_seed);
      continue;
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
      append(all[i].attacks, of_seed[i].attacks);
      append(all[i].test, of_seed[i].test);
      append(all[i].fit, of_seed[i].fit);
      append(all[i].epochs, of_seed[i].epochs);
    }
  }
  return all;
}

inline Table networks_table(const std::vector<ArmResults>& arms) {
  using rg::report::Kind;
  Table table({{.name = "minimum"},
               {.name = "attack"},
               {.name = "advantage", .kind = Kind::interval, .digits = 3},
               {.name = "area", .kind = Kind::interval, .digits = 3},
               {.name = "TPR at 1 % FPR", .key = "tpr_1", .kind = Kind::interval, .digits = 4},
               {.name = "at 0.1 %", .key = "tpr_01", .kind = Kind::interval, .digits = 4},
               {.name = "test %", .kind = Kind::interval},
               {.name = "fit %", .kind = Kind::number, .digits = 1}},
              "4. Networks: what attacks find in minima that fit their labels");
  for (const ArmResults& each : arms) {
    for (const Attack& attack : attacks()) {
      table.add({each.arm.name(), attack.name, each.mean(attack.key + "_advantage"), each.mean(attack.key + "_area"),
                 each.mean(attack.key + "_tpr_1"), each.mean(attack.key + "_tpr_01"), rg::mean_interval(each.test),
                 rg::mean_interval(each.fit).mean});
    }
  }
  return table;
}

inline Table differences_table(const std::vector<ArmResults>& arms) {
  using rg::report::Kind;
  std::vector<rg::report::Column> columns{{.name = "minimum"}, {.name = "test, points", .kind = Kind::interval}};
  for (const Attack& attack : attacks()) {
    columns.push_back({.name = attack.name, .key = attack.key + "_advantage", .kind = Kind::interval, .digits = 3});
  }
  for (const char* const name : {"LiRA", "RMIA"}) {
    columns.push_back({.name = std::string(name) + " TPR at 1 %", .kind = Kind::interval, .digits = 3});
  }
  Table table(std::move(columns), "5. Advantages and true positive rates less those of good minima, paired by seed");
  for (std::size_t i = 1; i < arms.size(); ++i) {
    std::vector<rg::report::Cell> cells{arms[i].arm.name(), rg::paired_difference(arms[i].test, arms[0].test)};
    const auto add = [&](const std::string& number) {
      cells.emplace_back(rg::paired_difference(arms[i].values(number), arms[0].values(number)));
    };
    for (const Attack& attack : attacks()) {
      add(attack.key + "_advantage");
    }
    add("lira_tpr_1");
    add("rmia_tpr_1");
    table.add(std::move(cells));
  }
  return table;
}

/// The statements on networks. All are of means over the seeds.
inline void claim_networks(const std::vector<ArmResults>& arms, kit::Claims& claims) {
  const ArmResults& good = arms.front();
  const auto test = [](const ArmResults& of) { return rg::mean_interval(of.test).mean; };
  for (const ArmResults& each : arms) {
    const std::string name = each.arm.name();
    if (each.arm.copies > 0 && !each.arm.regularized) {
      claims.below(test(each), test(good), name + ": generalizes worse than the good minimum");
      claims.below(good.mean("loss_advantage").mean, each.mean("loss_advantage").mean,
                   name + ": a threshold on the loss finds more than in the good minimum");
    }
    if (each.arm.regularized) {
      const ArmResults& bad = arms[arms.size() - 2];
      for (const Attack& attack : attacks()) {
        const std::string number = attack.key + "_advantage";
        claims.below(each.mean(number).mean, bad.mean(number).mean,
                     name + ": " + attack.name + " finds less than in the bad minimum");
      }
      continue;
    }
    claims.below(each.mean("loss_tpr_1").mean, 0.02, name + ": at 1 % FPR a threshold on the loss finds no one");
    claims.below(0.02, each.mean("lira_tpr_1").mean, name + ": at 1 % FPR LiRA does");
    claims.below(each.mean("loss_area").mean + 0.05, each.mean("lira_area").mean,
                 name + ": LiRA's area is larger than the loss's by 0.05");
  }
}

/// What came out, in a sentence.
inline std::string sentence_of(const std::vector<ArmResults>& arms) {
  if (arms.size() < 2) {
    return "";
  }
  const ArmResults &good = arms.front(), &bad = arms[arms.size() - 2];
  const auto both = [&](const char* number) {
    return kit::format("%.3f -> %.3f", good.mean(number).mean, bad.mean(number).mean);
  };
  return kit::format(
             "\nDoes the bad minimum leak more? From good to %s: test accuracy %.1f -> %.1f %%, advantage of the",
             bad.arm.name().c_str(), rg::mean_interval(good.test).mean, rg::mean_interval(bad.test).mean) +
         "\nloss attack " + both("loss_advantage") + ", of LiRA " + both("lira_advantage") + ", of RMIA " +
         both("rmia_advantage") + ", LiRA's TPR at 1 % FPR " + both("lira_tpr_1") + ".\n";
}
