#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <regimen/report.hpp>
#include <regimen/statistics.hpp>

#include "kit/format.hpp"
#include "kit/minimum_measures.hpp"
#include "settings.hpp"

/// Whether a measure tells the worse minimum, by its interval.
enum class Verdict { sees, silent, misleads };

/// How often the minimum from the adversarial start looks worse than the one from the random start, of one recipe and
/// seed.
struct Told {
  int times = 0;
  int pairs = 0;

  [[nodiscard]] rg::Proportion interval() const { return rg::clopper_pearson_interval(times, pairs); }
  [[nodiscard]] std::string text() const { return kit::format("%d of %d", times, pairs); }

  /// Of fewer than six pairs no interval leaves one half out: all or none must do.
  [[nodiscard]] Verdict verdict() const {
    const bool few = pairs < 6;
    if (pairs > 0 && (few ? times == pairs : interval().low > 0.5)) {
      return Verdict::sees;
    }
    return pairs > 0 && (few ? times == 0 : interval().high < 0.5) ? Verdict::misleads : Verdict::silent;
  }
};

/// How well a measure agrees with the test error; its sign is turned where smaller is said to be worse.
struct Ranked {
  kit::MinimumNumber number;
  rg::Estimate across{};           ///< Kendall's tau over all minima
  rg::Interval within{};           ///< the mean over recipes, regularizers and rate, of tau over their minima
  std::vector<double> of_rates{};  ///< tau over the minima of each rate
  Told vanilla{};
  Told regularized{};

  [[nodiscard]] Verdict verdict() const {
    return across.low > 0 ? Verdict::sees : across.high < 0 ? Verdict::misleads : Verdict::silent;
  }
};

namespace detail {

/// Tau of a measure with the test error over these minima; values that are NaN are left out.
inline rg::Estimate tau_of(const kit::MinimumNumber& number, const ex::Results& minima) {
  std::vector<double> measure;
  std::vector<double> error;
  for (const ex::Result& minimum : minima) {
    const double value = minimum.measure(number.name);
    if (!std::isnan(value)) {
      measure.push_back(number.larger ? value : -value);
      error.push_back(1 - minimum.test().accuracy);
    }
  }
  return measure.size() < 2 ? rg::Estimate{} : rg::kendall_tau(measure, error);
}

/// The values of a factor, each once, in the order in which they come.
inline std::vector<std::string> values_of(const ex::Results& minima, const std::string& factor) {
  std::vector<std::string> values;
  for (const ex::Result& minimum : minima) {
    if (std::find(values.begin(), values.end(), minimum.factor(factor)) == values.end()) {
      values.push_back(minimum.factor(factor));
    }
  }
  return values;
}

/// Calls visit(good, bad) for each pair of minima of one recipe and seed.
template <class Visit>
void each_pair(const ex::Results& minima, const std::string& regularizers, const Visit& visit) {
  for (const ex::Result& bad : minima.where({{"regularizers", regularizers}, {"start", "adversarial"}})) {
    ex::Factors wanted = bad.factors;
    std::find_if(wanted.begin(), wanted.end(), [](const auto& factor) { return factor.first == "start"; })->second =
        "random";
    if (const ex::Result* const good = minima.find(wanted)) {
      visit(*good, bad);
    }
  }
}

inline Told told_by(const kit::MinimumNumber& number, const ex::Results& minima, const std::string& regularizers) {
  Told told;
  each_pair(minima, regularizers, [&](const ex::Result& good, const ex::Result& bad) {
    const double difference = bad.measure(number.name) - good.measure(number.name);
    told.times += (number.larger ? difference > 0 : difference < 0) ? 1 : 0;
    ++told.pairs;
  });
  return told;
}

/// A line for each verdict, with the measures that it is the verdict of, broken at 100 characters.
template <class VerdictOf>
std::string lines_of(const std::vector<Ranked>& ranking, const char* const (&words)[3], const VerdictOf& verdict_of) {
  std::string text;
  for (const Verdict verdict : {Verdict::sees, Verdict::silent, Verdict::misleads}) {
    std::string line = kit::format("  %s:", words[static_cast<int>(verdict)]);
    const std::size_t bare = line.size();
    for (const Ranked& row : ranking) {
      if (verdict_of(row) == verdict) {
        line += line.size() > bare ? ";" : "";
        const bool fits = line.size() - (line.rfind('\n') + 1) + row.number.title.size() < 100;
        line += fits ? " " : "\n      ";
        line += row.number.title;
      }
    }
    text += line + (line.size() == bare ? " none\n" : "\n");
  }
  return text;
}

}  // namespace detail

/// All measures, those that agree best with the test error over all minima first.
inline std::vector<Ranked> ranked(const ex::Results& minima) {
  std::vector<Ranked> all;
  for (const kit::MinimumNumber& number : kit::minimum_numbers()) {
    Ranked row{.number = number, .across = detail::tau_of(number, minima)};
    std::vector<double> within;
    for (const std::string& rate : detail::values_of(minima, "rate")) {
      row.of_rates.push_back(detail::tau_of(number, minima.where({{"rate", rate}})).value);
      for (const std::string& regularizers : detail::values_of(minima, "regularizers")) {
        const ex::Results recipe = minima.where({{"rate", rate}, {"regularizers", regularizers}});
        const double tau = detail::tau_of(number, recipe).value;
        if (!std::isnan(tau)) {
          within.push_back(tau);
        }
      }
    }
    row.within = rg::mean_interval(within);
    row.vanilla = detail::told_by(number, minima, "vanilla");
    row.regularized = detail::told_by(number, minima, "all three");
    all.push_back(row);
  }
  std::stable_sort(all.begin(), all.end(), [](const Ranked& a, const Ranked& b) {
    return !std::isnan(a.across.value) && (std::isnan(b.across.value) || a.across.value > b.across.value);
  });
  return all;
}

inline rg::report::Table ranking_table(const std::vector<Ranked>& ranking) {
  using rg::report::Kind;
  rg::report::Table table({{.name = "measure"},
                           {.name = "tau across recipes", .key = "across", .kind = Kind::estimate},
                           {.name = "within", .kind = Kind::interval},
                           {.name = "tells, vanilla", .key = "vanilla", .align = rg::report::Align::right},
                           {.name = "tells, all three", .key = "all_three", .align = rg::report::Align::right}});
  for (const Ranked& row : ranking) {
    table.add({row.number.title, row.across, row.within, row.vanilla.text(), row.regularized.text()});
  }
  table.note(
      "Across recipes: Kendall's tau of the measure with the test error over all minima, and its 95 % interval;");
  table.note(
      "a measure of which smaller is said to be worse has its sign turned. Within: the mean over the recipes of");
  table.note("tau over their minima, Student-t. Tells: pairs of one recipe and seed in which the minimum from the");
  table.note(
      "adversarial start looks worse. Recipes of one seed share images and starts, so intervals are too narrow.");
  return table;
}

/// The fragility audit: what is left of the ranking where the learning rate is another.
inline rg::report::Table rates_table(const std::vector<Ranked>& ranking, const std::vector<std::string>& rates) {
  using rg::report::Kind;
  std::vector<rg::report::Column> columns{{.name = "measure"}};
  for (const std::string& rate : rates) {
    columns.push_back({.name = "tau at " + rate + " %", .key = "rate_" + rate, .kind = Kind::number});
  }
  columns.push_back({.name = "sign"});
  rg::report::Table table(columns);
  for (const Ranked& row : ranking) {
    std::vector<rg::report::Cell> cells{row.number.title};
    bool turns = false;
    for (const double tau : row.of_rates) {
      cells.emplace_back(tau);
      turns = turns || tau * row.of_rates.front() < 0;
    }
    cells.emplace_back(turns ? "turns" : "holds");
    table.add(std::move(cells));
  }
  for (std::size_t i = 1; i < rates.size(); ++i) {
    std::vector<double> first;
    std::vector<double> other;
    for (const Ranked& row : ranking) {
      if (!std::isnan(row.of_rates[0]) && !std::isnan(row.of_rates[i])) {
        first.push_back(row.of_rates[0]);
        other.push_back(row.of_rates[i]);
      }
    }
    table.note(kit::format("The ranking at %s %% of the learning rates agrees with that at %s %% by tau = %.2f.",
                           rates[i].c_str(), rates[0].c_str(),
                           first.size() < 2 ? rg::unknown : rg::kendall_tau(first, other).value));
  }
  return table;
}

/// How far the minima are apart, and whether there is a hole.
inline std::string hole_text(const ex::Results& minima) {
  std::string text;
  for (const std::string& regularizers : detail::values_of(minima, "regularizers")) {
    std::vector<double> good;
    std::vector<double> bad;
    std::vector<double> lost;
    double fit = 1;
    detail::each_pair(minima, regularizers, [&](const ex::Result& of_good, const ex::Result& of_bad) {
      good.push_back(100 * of_good.test().accuracy);
      bad.push_back(100 * of_bad.test().accuracy);
      lost.push_back(good.back() - bad.back());
      fit = std::min({fit, of_good.history.back().fit.accuracy, of_bad.history.back().fit.accuracy});
    });
    const rg::Interval hole = rg::mean_interval(lost);
    text += kit::format(
        "%s: test accuracy %.2f %% from random weights, %.2f %% from random labels; lost %.2f +- %.2f; ",
        regularizers.c_str(), rg::mean_interval(good).mean, rg::mean_interval(bad).mean, hole.mean, hole.half_width);
    text += kit::format("fit at least %.2f %%\n", 100 * fit);
    if (regularizers == "vanilla" && !(hole.mean > 0)) {
      text += "There is no hole here: what follows says nothing about it.\n";
    }
  }
  return text;
}

/// Which measures see the hole, and which mislead.
inline std::string verdicts_text(const std::vector<Ranked>& ranking) {
  const Told& any = ranking.front().vanilla;
  const bool few = any.pairs < 6;
  const std::string pairs = kit::format(
      "\nThe hole: two minima of vanilla SGD, one recipe and seed, %d pairs%s.\n", any.pairs,
      few ? ", too few for an interval: --seeds 5 gives enough" : " (is the Clopper-Pearson interval above 1/2?)");
  const auto of_pairs = [](const Ranked& row) { return row.vanilla.verdict(); };
  return pairs +
         (few ? detail::lines_of(
                    ranking, {"tell all pairs", "tell some", "tell none: they take the bad for the better"}, of_pairs)
              : detail::lines_of(ranking, {"see it", "do not tell", "take the bad minimum for the better one"},
                                 of_pairs)) +
         "\nThe test error of all minima, across recipes (is the interval of tau above, around or below 0?).\n" +
         detail::lines_of(ranking, {"grow with it", "say nothing", "mislead"},
                          [](const Ranked& row) { return row.verdict(); });
}
