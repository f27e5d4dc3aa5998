#pragma once
// The tables, and whether the paper's statements hold.

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include <regimen/experiment.hpp>
#include <regimen/report.hpp>
#include <regimen/statistics.hpp>

#include "kit/claims.hpp"
#include "kit/format.hpp"
#include "kit/page.hpp"
#include "kit/pictures.hpp"
#include "kit/sweep.hpp"
#include "pictures.hpp"
#include "settings.hpp"

using kit::Over;
using regimen::report::Table;

inline Table starts_table(const kit::Sweep& starts, kit::Claims& claims) {
  claims.below(starts.largest("off_limit"), 1e-10, "gradient descent ends at X^+ y + (I - X^+ X) w_0");
  claims.below(starts.largest("over_condition"), 20, "after few steps, in units of the condition");
  claims.below(starts.largest("null_moved"), 1e-10, "the null part of w_0 stays where it was");
  claims.below(starts.largest("error"), 1e-18, "from every start all labels are fitted");
  return starts.table("1. Where gradient descent ends (50 samples, 200 features, noise 0.5)", "norm of w_0",
                      {{"steps", "descent_steps", 0},
                       {"steps / condition", "over_condition", 1},
                       {"off the limit", "off_limit", 0, Over::power},
                       {"training error", "error", 0, Over::power},
                       {"norm", "norm"},
                       {"null part's", "null_norm"},
                       {"excess risk", "risk"}},
                      100, 1);
}

inline Table ratios_table(const kit::Sweep& ratios, int draws, kit::Claims& claims) {
  double pooled = 0, trials = 0, beyond = 0;
  for (const int at : ratios.settings()) {
    const auto n = static_cast<double>(ratios.values(at, "z").size());
    pooled = std::max(pooled, std::abs(ratios.mean(at, "z").mean) * std::sqrt(n));
    trials += n;
    beyond += n * (1 - ratios.mean(at, "within_2").mean);
    if (at == 80 || at == 125) {
      const double mean = ratios.mean(at, "over_noise").mean, law = ratios.mean(at, "law").mean;
      claims.below(std::abs(mean - law), std::abs(mean - ratios.mean(at, "limit").mean),
                   kit::format("at p / n = %.2f the exact law is nearer than its limit", at / 100.0));
    }
  }
  const auto freedom = static_cast<std::size_t>(draws - 1);
  const double by_chance = 1 - regimen::detail::student_t_two_sided(2, freedom);
  const double far = regimen::student_t_quantile(freedom, 0.9996);  // 4 for 30 draws
  claims.below(ratios.largest("z"), far, "no mean of designs is far off the exact law, in standard errors");
  claims.below(ratios.largest("z_over_noise"), far, "nor is one of risks without the spread of noise");
  claims.below(pooled, 4, "nor the mean over all seeds");
  claims.below(beyond / trials, by_chance + 3 * std::sqrt(by_chance * (1 - by_chance) / trials),
               "beyond 2 standard errors are as many as by chance");
  Table table = ratios.table("2. Double descent (100 samples, isotropic features, |theta| = sigma = 1)", "p / n",
                             {{"exact law", "law", 3, Over::mean},
                              {"its limit", "limit", 3, Over::mean},
                              {"excess risk", "risk", 3},
                              {"without noise's spread", "over_noise", 4},
                              {"mean z", "z", 2, Over::mean},
                              {"largest |z|", "z", 1, Over::largest},
                              {"within 2 s.e. %", "within_2", 0, Over::percent}},
                             100, 2);
  table.note(kit::format("z: (mean of %d designs - exact law) / standard error, one for each seed and p / n.", draws));
  return table.note(
      kit::format("%.0f of %.0f are beyond 2, of which chance gives %.1f %%.", beyond, trials, 100 * by_chance));
}

inline Table spectrum_table(const kit::Sweep& sizes, bool benign, kit::Claims& claims) {
  const std::vector<int> all = sizes.settings();
  const auto [first, last] =
      std::pair(*std::min_element(all.begin(), all.end()), *std::max_element(all.begin(), all.end()));
  const double at_first = sizes.mean(first, "variance").mean, at_last = sizes.mean(last, "variance").mean;
  if (benign && first < last) {
    claims.below(at_last, 1.2 * at_first * first / last, "benign: the variance falls like 1 / n");
  } else if (!benign) {
    claims.within(at_last, 0.8, 1.2, "malignant, i^-2: the variance stays that of the noise");
  }
  for (const int at : sizes.settings()) {
    if (benign) {
      claims.within(sizes.mean(at, "over_bound").mean, 0.5, 1.3,
                    kit::format("benign, n = %d: the variance is about k*/n + n/R_k*", at));
    } else {
      claims.below(at, sizes.mean(at, "k").mean,
                   kit::format("malignant, n = %d: more directions than samples would have to be learned", at));
    }
  }
  return sizes.table(benign ? "3a. A benign spectrum: 5 ones and a flat tail of sum 2, p = n^2 / 5"
                            : "3b. A malignant spectrum: i^-2, p = n^2 / 5",
                     "n",
                     {{"p", "features", 0, Over::mean},
                      {"k*", "k", 0, Over::mean},
                      {"r_k*", "rank", 0, Over::mean},
                      {"R_k*", "squared_rank", 0, Over::mean},
                      {"r_0 / n", "rank_0_over_n", 3, Over::mean},
                      {"k*/n + n/R_k*", "bound", 3, Over::mean},
                      {"variance / sigma^2", "variance", 4},
                      {"over the bound", "over_bound", 2, Over::mean},
                      {"bias / |theta|^2", "bias", 5}});
}

inline Table tails_table(const kit::Sweep& tails, kit::Claims& claims) {
  for (const int at : tails.settings()) {
    if (at >= 4000) {
      const std::string p = kit::format("p = %d: ", at);
      claims.below(tails.largest(at, "error"), 1e-18, p + "simple and spiky part together fit every label");
      claims.below(tails.mean(at, "spiky_left").mean, 0.05, p + "little of the spiky part is left at new points");
      claims.below(tails.mean(at, "off_ridge").mean, 0.002, p + "the simple part is ridge regression on the head");
    }
  }
  return tails.table("4. Simple and spiky part, mean squares (100 samples, head of 5, tail of sum 20, sigma^2 = 0.25)",
                     "p",
                     {{"training error", "error", 0, Over::power},
                      {"simple's error at x_i", "simple_at_points", 3},
                      {"spiky at x_i", "spiky_at_points", 3},
                      {"simple's error", "simple", 4},
                      {"spiky", "spiky", 4},
                      {"error", "both", 3},
                      {"simple - ridge", "off_ridge", 5}});
}

inline Table lazy_table(const kit::Sweep& widths, const std::string& activation, kit::Claims& claims) {
  Table table = widths.table(
      "5. Lazy regime (two-layer " + activation + " network, 40 points of 10 features, to a residual of 1e-4)", "width",
      {{"steps", "descent_steps", 0},
       {"distance", "distance"},
       {"relative distance", "relative_distance", 4},
       {"kernel change", "kernel_change", 4},
       {"f - f_lin", "off_linearized", 4},
       {"f - linear training", "off_linear_training", 4},
       {"excess risk", "risk", 3}});
  double residual = 0;
  for (const int at : widths.settings()) {
    residual = std::max(residual, widths.largest(at, "residual"));
  }
  claims.below(residual, 1.0001e-4, "every network is trained to a residual of 1e-4 of the labels");
  const auto falls = [&](const std::string& measure, double from, double to, const std::string& what) {
    const regimen::Interval power = widths.exponent(measure);
    table.note(kit::format("%s: width^a, a = %.3f +- %.3f", what.c_str(), power.mean, power.half_width));
    claims.within(power.mean, from, to, what + " falls like width^a");
  };
  if (widths.settings().size() >= 2) {
    falls("relative_distance", -0.65, -0.4, "the relative distance");
    falls("kernel_change", -1.2, -0.5, "the change of the tangent kernel");
    falls("off_linearized", -1.2, -0.5, "the difference to the linearized network");
  }
  for (const int at : widths.settings()) {
    if (at >= 1024) {
      claims.below(widths.mean(at, "off_linearized").mean, 0.03, kit::format("width %d: f is its linearization", at));
    }
  }
  return table;
}

/// Writes the picture, and writes and prints the tables. Returns the paper's statements.
inline kit::Claims show_results(const regimen::experiment::Results& results, const BenignSettings& s) {
  kit::Claims claims;
  std::string text;
  std::map<std::string, kit::Sweep> sweeps;
  for (const Part& part : parts_of(s)) {
    if (kit::Sweep sweep(results, {{"part", part.name}}, "at", part.varied); !sweep.empty()) {
      sweeps.emplace(part.name, std::move(sweep));
    }
  }
  kit::Page page(s.out, "When does interpolation cost nothing?");
  page.draw(picture_of(sweeps), "benign-overfitting", "What interpolation costs");
  const auto add = [&](const std::string& part, const auto& table) {
    if (const auto sweep = sweeps.find(part); sweep != sweeps.end()) {
      const Table shown = table(sweep->second);
      text += regimen::report::terminal(shown, {.width = 150}) + "\n";
      page.add(shown, shown.title());
    }
  };
  add("start", [&](const kit::Sweep& sweep) { return starts_table(sweep, claims); });
  add("ratio", [&](const kit::Sweep& sweep) { return ratios_table(sweep, s.draws, claims); });
  add("benign", [&](const kit::Sweep& sweep) { return spectrum_table(sweep, true, claims); });
  add("malignant", [&](const kit::Sweep& sweep) { return spectrum_table(sweep, false, claims); });
  add("tail", [&](const kit::Sweep& sweep) { return tails_table(sweep, claims); });
  add("lazy", [&](const kit::Sweep& sweep) { return lazy_table(sweep, s.activation, claims); });
  text +=
      "Means over seeds with Student-t 95 % intervals; errors are at new points, unless at x_i. The paper's "
      "statements:\n" +
      claims.text() + kit::format("%d of %d came out.\n", claims.all() - claims.failed(), claims.all());
  page.say(kit::format("%d of %d statements of the paper came out.", claims.all() - claims.failed(), claims.all()));
  page.add(claims);
  page.write();
  kit::show_text(text, s.out, "results.csv");
  return claims;
}
