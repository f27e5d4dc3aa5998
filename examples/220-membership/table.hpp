#pragma once
// The tables, and whether the statements hold.

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

  Linear(const ex::Results& results, const LinearSettings& s)
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
                 what + kit::format(": less at p / n = %g than at %g", less / 100.0, more / 100.0));
  }
}

inline Table law_table(const kit::Sweep& law, kit::Claims& claims) {
  double off_above = 0, off_below = 0;
  for (const int at : law.settings()) {
    const double exact = law.mean(at, "exact").mean, off_form = std::abs(exact - law.mean(at, "form").mean);
    if (std::abs(at - 100) >= 10) {  // nearer to the peak single draws decide
      claims.below(std::abs(law.mean(at, "off").mean), 0.01,
                   kit::format("p / n = %g: measured is the exact law", at / 100.0));
    }
    off_above = at >= 150 ? std::max(off_above, off_form) : off_above;
    off_below = at <= 80 ? std::max(off_below, off_form) : off_below;
    if (at == 110) {
      claims.within(law.mean(at, "form").mean - exact, 0.01, 0.04,
                    "next to the peak, at p / n = 1.1, the closed form is too large");
    }
    if (at == 200) {
      claims.below(exact, 0.05, "at p / n = 2 members and others can hardly be told");
    }
  }
  if (law.settings().back() >= 150) {
    claims.below(off_above, 0.01, "from p / n = 1.5 on the closed form is the exact law");
  }
  if (law.settings().front() <= 80) {
    claims.below(off_below, 0.02, "up to p / n = 0.8 ours for p < n is near it, too");
  }
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
    table.add({at / 100.0, linear.latent.mean(at, "measured"),
               has(linear.relu, at) ? rg::report::Cell(linear.relu.mean(at, "measured")) : rg::report::Missing{}});
  }
  for (const auto& [name, sweep] : {std::pair("latent space", &linear.latent), {"ReLU features", &linear.relu}}) {
    claim_order(*sweep, 50, 80, std::string(name) + ", below the peak more features leak more", claims);
    claim_order(*sweep, 500, 1000, std::string(name) + ", far above it, too", claims);
  }
  return table;
}

/// How the advantage goes with a growing penalty, as far as intervals over the seeds tell: "falls, then rises".
inline std::string course(const kit::Sweep& penalties) {
  const std::vector<int>& all = penalties.settings();
  const auto values = [&](int penalty) { return penalties.values(penalty, "measured"); };
  const int least = *std::min_element(all.begin(), all.end(), [&](int a, int b) {
    return penalties.mean(a, "measured").mean < penalties.mean(b, "measured").mean;
  });
  const auto less = [&](int a, int b) {  // of a run that is not complete one may lack a seed
    const std::vector<double> of_a = values(a), of_b = values(b);
    return of_a.size() == of_b.size() && rg::paired_difference(of_a, of_b).high() < 0;
  };
  const bool falls = less(least, all.front()), rises = less(least, all.back());
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
    for (const int penalty : penalties) {
      cells.push_back(has(sweep, penalty) ? rg::report::Cell(sweep.mean(penalty, "measured")) : rg::report::Missing{});
    }
    const std::string goes = course(sweep);
    cells.emplace_back(goes);
    table.add(std::move(cells));
    const std::string where = kit::format("ridge, p / n = %g: ", ratio / 100.0);
    if (has(sweep, 0) && has(sweep, 30) && has(sweep, 500)) {
      const double none = sweep.mean(0, "measured").mean, little = sweep.mean(30, "measured").mean;
      if (ratio < 200) {
        claims.add(goes == "falls, then rises", where + "more ridge leaks less first, and then more");
        claims.below(little, none / 2, where + "a penalty of 30 at least halves what leaks");
      } else {
        claims.add(goes == "rises", where + "more ridge leaks more");
        claims.below(none + 0.02, sweep.mean(500, "measured").mean, where + "by 0.02 for a penalty of 500");
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
  bool all_ended = true;              ///< whether all trainings ended because their labels were fitted

  [[nodiscard]] std::vector<double> values(const std::string& number) const {
    return kit::values_of(attacks, [&](const auto& each) { return each.measure(number); });
  }
  [[nodiscard]] rg::Interval mean(const std::string& number) const { return rg::mean_interval(values(number)); }

  /// The difference to another arm, paired by seed.
  [[nodiscard]] rg::Interval less(const ArmResults& other, const std::string& number) const {
    return number == "test" ? rg::paired_difference(test, other.test)
                            : rg::paired_difference(values(number), other.values(number));
  }
};

/// The results of an arm in one seed; empty unless it is complete and no network has diverged.
inline ArmResults of_one_seed(const ex::Results& results, const Arm& arm, int networks) {
  ArmResults one{.arm = arm};
  std::vector<double> test, fit;
  for (int i = 0; i < networks; ++i) {
    const std::string at = std::to_string(i);
    const ex::Result* const network = results.find(arm.factors(at));
    const ex::Result* const memorized = arm.copies > 0 ? results.find(arm.memorizing_factors(at)) : network;
    if (network == nullptr || memorized == nullptr || network->diverged() || memorized->diverged()) {
      return {};
    }
    test.push_back(100 * network->test().accuracy);
    fit.push_back(100 * network->history.back().fit.accuracy);
    const auto ended = [](const ex::Result& of) { return of.history.ended() == rg::Ended::criterion; };
    one.all_ended = one.all_ended && ended(*memorized) && (arm.regularized || ended(*network));
  }
  const ex::Result* const attacks = results.find(arm.factors("attacks"));
  if (attacks == nullptr || std::isnan(attacks->measure("loss_area"))) {  // logits that are not finite
    return {};
  }
  one.attacks.push_back(*attacks);
  one.test.push_back(rg::mean_interval(test).mean);
  one.fit.push_back(rg::mean_interval(fit).mean);
  return one;
}

/// All arms, of the seeds in which each is complete; none if there is no such seed.
inline std::vector<ArmResults> finished_arms(const ex::Results& results, const MembershipSettings& s) {
  std::vector<ArmResults> all;
  for (int seed = 1; seed <= s.image_seeds; ++seed) {
    std::vector<ArmResults> of_seed;
    for (const Arm& arm : arms_of(s, seed)) {
      of_seed.push_back(of_one_seed(results, arm, s.networks));
    }
    if (std::any_of(of_seed.begin(), of_seed.end(), [](const auto& each) { return each.attacks.empty(); })) {
      continue;
    }
    for (std::size_t i = 0; i < of_seed.size() && !all.empty(); ++i) {
      const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
      append(all[i].attacks, of_seed[i].attacks);
      append(all[i].test, of_seed[i].test);
      append(all[i].fit, of_seed[i].fit);
      all[i].all_ended = all[i].all_ended && of_seed[i].all_ended;
    }
    all = all.empty() ? of_seed : all;
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
              "4. Networks: what attacks find");
  for (const ArmResults& each : arms) {
    for (const Attack& attack : attacks()) {
      const auto rate = [&](const char* number) -> rg::report::Cell {
        return attack.key == "gap" ? rg::report::Cell(rg::report::Missing{}) : each.mean(attack.key + number);
      };
      table.add({each.arm.name(), attack.name, each.mean(attack.key + "_advantage"), each.mean(attack.key + "_area"),
                 rate("_tpr_1"), rate("_tpr_01"), rg::mean_interval(each.test), rg::mean_interval(each.fit).mean});
    }
  }
  table.note(
      "Scores of all networks of an arm at once. The threshold of the advantage is chosen on the scores that it");
  return table.note(
      "is judged by. The gap attack has no threshold to choose; its false positive rate is test accuracy.");
}

inline Table differences_table(const std::vector<ArmResults>& arms) {
  using rg::report::Kind;
  std::vector<rg::report::Column> columns{{.name = "minimum"}, {.name = "test, points", .kind = Kind::interval}};
  std::vector<std::string> numbers{"test"};
  for (const Attack& attack : attacks()) {
    numbers.push_back(attack.key + "_advantage");
    columns.push_back({.name = attack.name, .key = numbers.back(), .kind = Kind::interval, .digits = 3});
  }
  for (const Attack& attack : attacks()) {
    if (attack.with_references) {
      numbers.push_back(attack.key + "_tpr_1");
      columns.push_back(
          {.name = attack.name + " TPR at 1 %", .key = numbers.back(), .kind = Kind::interval, .digits = 3});
    }
  }
  Table table(std::move(columns), "5. Advantages and true positive rates less those of good minima, paired by seed");
  for (std::size_t i = 1; i < arms.size(); ++i) {
    std::vector<rg::report::Cell> cells{arms[i].arm.name()};
    for (const std::string& number : numbers) {
      cells.emplace_back(arms[i].less(arms[0], number));
    }
    table.add(std::move(cells));
  }
  return table;
}

/// The statements on single arms, and, with at least two seeds, on their differences, whose intervals must exclude 0.
inline void claim_networks(const std::vector<ArmResults>& arms, kit::Claims& claims) {
  for (const ArmResults& each : arms) {
    const std::string name = each.arm.name() + ": ";
    claims.add(each.all_ended, name + (each.arm.regularized ? "every start fits its random labels"
                                                            : "every network fits its labels, with a loss of 0.01"));
    if (!each.arm.regularized) {
      claims.below(each.mean("loss_tpr_1").mean, 0.02,
                   name + "at 1 % FPR a threshold on the loss finds hardly more than chance");
      claims.below(0.02, each.mean("lira_tpr_1").mean, name + "at 1 % FPR LiRA finds more");
      claims.below(each.mean("loss_area").mean + 0.03, each.mean("lira_area").mean,
                   name + "LiRA's area is larger than that of the loss by 0.03");
    }
  }
  const ArmResults &good = arms.front(), &bad = arms[arms.size() - 2], &regularized = arms.back();
  if (good.test.size() < 2) {
    return;
  }
  const auto differ = [&](const ArmResults& a, const ArmResults& b, const std::string& number, bool more,
                          const std::string& what) {
    const rg::Interval less = a.less(b, number);
    claims.add(more ? less.low() > 0 : less.high() < 0,
               a.arm.name() + " against " + b.arm.name() + ": " + what +
                   kit::format(" (%.3g, 95 %% interval %.3g to %.3g)", less.mean, less.low(), less.high()));
  };
  differ(bad, good, "test", false, "test accuracy is lower");
  differ(bad, good, "gap_advantage", true, "the gap attack finds more");
  differ(bad, good, "loss_advantage", true, "a threshold on the loss finds more");
  differ(bad, good, "lira_tpr_1", false, "at 1 % FPR LiRA finds less");
  for (const Attack& attack : attacks()) {
    differ(regularized, bad, attack.key + "_advantage", false, attack.name + " finds less");
  }
  if (arms.size() > 4) {  // more than one R
    const ArmResults& first = arms[2];
    differ(bad, first, "test", false, "test accuracy is lower");
    claims.below(bad.mean("lira_tpr_1").mean, first.mean("lira_tpr_1").mean,
                 bad.arm.name() + " against " + first.arm.name() + ": at 1 % FPR LiRA finds less");
  }
}

/// What came out, in a sentence.
inline std::string sentence_of(const std::vector<ArmResults>& arms) {
  if (arms.empty()) {
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
