#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <regimen/report.hpp>
#include <regimen/statistics.hpp>

#include "kit/format.hpp"
#include "kit/minimum_measures.hpp"
#include "kit/told.hpp"
#include "settings.hpp"

/// Whether a measure tells the worse minimum.
enum class Verdict { sees, silent, misleads };

/// Whether the minimum from the adversarial start looks worse than that from the random start in all pairs, or in none.
inline Verdict verdict_of(const kit::Told& told) {
  return told.pairs > 0 && told.times == told.pairs ? Verdict::sees
         : told.pairs > 0 && told.times == 0        ? Verdict::misleads
                                                    : Verdict::silent;
}

/// How well a measure agrees with the test error; its sign is turned where smaller is said to be worse.
struct Ranked {
  kit::MinimumNumber number;
  bool is_reference = false;          ///< whether it says nothing but how a minimum was reached
  rg::Interval across{};              ///< Kendall's tau over all minima
  rg::Interval within_vanilla{};      ///< the mean over the rates of tau over the minima of vanilla SGD
  rg::Interval within_regularized{};  ///< the same with all three regularizers
  std::vector<double> of_rates{};     ///< tau over the minima of each rate
  kit::Told vanilla{};
  kit::Told regularized{};

  [[nodiscard]] Verdict verdict() const {
    return across.low() > 0 ? Verdict::sees : across.high() < 0 ? Verdict::misleads : Verdict::silent;
  }
};

/// Numbers that say nothing of a minimum but how it was reached: what a measure's tau across recipes is worth shows
/// beside theirs. `with_references` adds them to a result.
inline const std::vector<kit::MinimumNumber> references{{"is_vanilla", "(reference: is it vanilla SGD?)"},
                                                        {"labels_fitted", "(reference: training labels fitted)"}};

inline ex::Result with_references(ex::Result minimum) {
  rg::Epoch& last = minimum.history.epochs.back();
  last.measures["is_vanilla"] = minimum.factor("regularizers") == "vanilla" ? 1 : 0;
  last.measures["labels_fitted"] = last.fit.accuracy;
  return minimum;
}

namespace detail {

/// Tau of a measure with the test error over these minima; values that are NaN are left out.
inline double tau_of(const kit::MinimumNumber& number, const ex::Results& minima) {
  std::vector<double> measure;
  std::vector<double> error;
  for (const ex::Result& minimum : minima) {
    const double value = minimum.measure(number.name);
    if (!std::isnan(value)) {
      measure.push_back(number.larger ? value : -value);
      error.push_back(1 - minimum.test().accuracy);
    }
  }
  return measure.size() < 2 ? rg::unknown : rg::kendall_tau(measure, error).value;
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

/// of(minima) with a 95 % interval by the jackknife over seeds: minima of one seed share their images and their start,
/// so seeds are what varies independently. No interval for a single seed.
template <class Of>
rg::Interval over_seeds(const ex::Results& minima, const Of& of) {
  std::vector<double> without;  // one of the seeds
  for (const std::string& seed : values_of(minima, "seed")) {
    ex::Results others;
    for (const ex::Result& minimum : minima) {
      if (minimum.factor("seed") != seed) {
        others.add(minimum);
      }
    }
    without.push_back(of(others));
  }
  return rg::jackknife_interval(of(minima), without);
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

inline kit::Told told_by(const kit::MinimumNumber& number, const ex::Results& minima, const std::string& regularizers) {
  kit::Told told;
  each_pair(minima, regularizers, [&](const ex::Result& good, const ex::Result& bad) {
    told.add(bad.measure(number.name) - good.measure(number.name), number.larger);
  });
  return told;
}

/// A line for each verdict, with the measures that it is the verdict of, broken at 100 characters.
template <class VerdictOfRow>
std::string lines_of(const std::vector<Ranked>& ranking, const char* const (&words)[3],
                     const VerdictOfRow& verdict_of_row) {
  std::string text;
  for (const Verdict verdict : {Verdict::sees, Verdict::silent, Verdict::misleads}) {
    std::string line = kit::format("  %s:", words[static_cast<int>(verdict)]);
    const std::size_t bare = line.size();
    for (const Ranked& row : ranking) {
      if (!row.is_reference && verdict_of_row(row) == verdict) {
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

/// The mean over the rates of tau over the minima of each, with these regularizers.
inline double tau_within(const kit::MinimumNumber& number, const ex::Results& minima, const std::string& regularizers) {
  std::vector<double> taus;
  for (const std::string& rate : values_of(minima, "rate")) {
    const double tau = tau_of(number, minima.where({{"rate", rate}, {"regularizers", regularizers}}));
    if (!std::isnan(tau)) {
      taus.push_back(tau);
    }
  }
  return rg::mean_interval(taus).mean;
}

}  // namespace detail

/// All measures and the references, those that agree best with the test error over all minima first.
inline std::vector<Ranked> ranked(const ex::Results& minima) {
  std::vector<Ranked> all;
  const auto rank = [&](const kit::MinimumNumber& number, bool is_reference) {
    const auto over_seeds = [&](const auto& tau) { return detail::over_seeds(minima, tau); };
    Ranked row{.number = number, .is_reference = is_reference};
    row.across = over_seeds([&](const ex::Results& some) { return detail::tau_of(number, some); });
    const auto within = [&](const std::string& regularizers) {
      return over_seeds([&](const ex::Results& some) { return detail::tau_within(number, some, regularizers); });
    };
    row.within_vanilla = within("vanilla");
    row.within_regularized = within("all three");
    for (const std::string& rate : detail::values_of(minima, "rate")) {
      row.of_rates.push_back(detail::tau_of(number, minima.where({{"rate", rate}})));
    }
    row.vanilla = detail::told_by(number, minima, "vanilla");
    row.regularized = detail::told_by(number, minima, "all three");
    all.push_back(row);
  };
  for (const kit::MinimumNumber& number : kit::minimum_numbers()) {
    rank(number, /*is_reference=*/false);
  }
  for (const kit::MinimumNumber& number : references) {
    rank(number, /*is_reference=*/true);
  }
  std::stable_sort(all.begin(), all.end(), [](const Ranked& a, const Ranked& b) {
    return !std::isnan(a.across.mean) && (std::isnan(b.across.mean) || a.across.mean > b.across.mean);
  });
  return all;
}

inline rg::report::Table ranking_table(const std::vector<Ranked>& ranking) {
  using rg::report::Kind;
  rg::report::Table table({{.name = "measure"},
                           {.name = "tau, across", .key = "across", .kind = Kind::interval},
                           {.name = "in vanilla", .key = "within_vanilla", .kind = Kind::interval},
                           {.name = "in all three", .key = "within_all_three", .kind = Kind::interval},
                           {.name = "tells, vanilla", .key = "vanilla", .align = rg::report::Align::right},
                           {.name = "all three", .key = "all_three", .align = rg::report::Align::right}});
  for (const Ranked& row : ranking) {
    table.add({row.number.title, row.across, row.within_vanilla, row.within_regularized, row.vanilla.text(),
               row.regularized.text()});
  }
  for (const char* const line :
       {"Tau: Kendall's, of the measure with the test error; where smaller is said to be worse its sign is turned.",
        "Across: over all minima, whatever their recipe; the references know nothing but that. In vanilla, in all "
        "three:",
        "the mean over the rates of tau over the minima with these regularizers. All with 95 % intervals by the",
        "jackknife over seeds. Tells: pairs of one recipe and seed in which the minimum from the adversarial start "
        "looks",
        "worse, without those in which both look alike."}) {
    table.note(line);
  }
  return table;
}

/// Kendall's tau of each measure with the test error, with its interval; without panels if no measure has one.
inline rg::report::Picture taus_picture(const std::vector<Ranked>& ranking) {
  std::vector<std::pair<std::string, rg::report::Measured>> rows;
  for (const Ranked& row : ranking) {
    if (!std::isnan(row.across.mean)) {
      rows.emplace_back(row.number.title, row.across);
    }
  }
  rg::report::Picture picture{
      .caption =
          "Tau is Kendall's, with the test error: a measure that orders all minima as it does has 1; "
          "where the interval holds 0, these seeds do not say whether a measure goes with it "
          "or against it."};
  if (!rows.empty()) {
    picture.panels = {rg::report::forest_panel(rows, "Kendall's tau")};
    picture.panels[0].marks = {{.at = 0}};
  }
  return picture;
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
    if (row.is_reference) {
      continue;
    }
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
      if (!row.is_reference && !std::isnan(row.of_rates[0]) && !std::isnan(row.of_rates[i])) {
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
    double fit = 1;
    detail::each_pair(minima, regularizers, [&](const ex::Result& of_good, const ex::Result& of_bad) {
      good.push_back(100 * of_good.test().accuracy);
      bad.push_back(100 * of_bad.test().accuracy);
      fit = std::min({fit, of_good.history.back().fit.accuracy, of_bad.history.back().fit.accuracy});
    });
    if (good.empty()) {
      continue;
    }
    const rg::Interval hole = detail::over_seeds(minima, [&](const ex::Results& some) {
      std::vector<double> lost;
      detail::each_pair(some, regularizers, [&](const ex::Result& of_good, const ex::Result& of_bad) {
        lost.push_back(100 * (of_good.test().accuracy - of_bad.test().accuracy));
      });
      return rg::mean_interval(lost).mean;
    });
    text += kit::format("%s: test accuracy %.2f %% from random weights, %.2f %% from random labels; lost %.2f",
                        regularizers.c_str(), rg::mean_interval(good).mean, rg::mean_interval(bad).mean, hole.mean);
    text += std::isnan(hole.half_width) ? "" : kit::format(" +- %.2f", hole.half_width);
    text += kit::format(" points; fit at least %.2f %%\n", 100 * fit);
    if (regularizers == "vanilla" && !(std::isnan(hole.half_width) ? hole.mean > 0 : hole.low() > 0)) {
      text += "There is no hole here, or not for certain: what follows says nothing about it.\n";
    }
  }
  return text;
}

/// Which measures see the hole, and which mislead.
inline std::string verdicts_text(const std::vector<Ranked>& ranking, int seeds) {
  std::string text = kit::format(
      "\nThe hole: pairs of minima of vanilla SGD, one recipe and seed, of %d seed%s. Is the bad one told?\n", seeds,
      seeds == 1 ? "" : "s");
  text += detail::lines_of(ranking, {"in all pairs", "in some pairs", "in no pair, so the bad minimum looks better"},
                           [](const Ranked& row) { return verdict_of(row.vanilla); });
  if (seeds < 5) {
    return text + "\nAcross recipes fewer than 5 seeds decide nothing: --seeds 5.\n";
  }
  return text + "\nThe test error of all minima, across recipes: is the interval of tau above, around or below 0?\n" +
         detail::lines_of(ranking, {"above", "around", "below: it misleads"},
                          [](const Ranked& row) { return row.verdict(); });
}
