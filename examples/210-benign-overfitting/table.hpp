#pragma once
// The tables of the program, and whether the paper's statements hold.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <regimen/experiment.hpp>
#include <regimen/report.hpp>
#include <regimen/statistics.hpp>

#include "kit/claims.hpp"
#include "kit/format.hpp"
#include "kit/pictures.hpp"
#include "pictures.hpp"
#include "seen.hpp"
#include "settings.hpp"

namespace tables {

using regimen::report::Column;
using regimen::report::Kind;
using regimen::report::Table;

inline Column number(const char* name, int digits) { return {.name = name, .kind = Kind::number, .digits = digits}; }
inline Column interval(const char* name, int digits) { return {.name = name, .kind = Kind::interval, .digits = digits}; }
inline Column whole(const char* name) { return {.name = name, .kind = Kind::whole}; }

inline Table starts(const Seen& seen, kit::Claims& claims) {
  Table table({number("norm of w_0", 1), interval("steps", 0), interval("steps / condition", 1), {.name = "off the limit"},
               {.name = "training error"}, interval("norm", 2), interval("null part's", 2), interval("excess risk", 2)},
              "1. Gradient descent ends at X^+ y + (I - X^+ X) w_0 (50 samples, 200 features, noise 0.5)");
  double off = 0, steps = 0, moved = 0;
  for (const int at : seen.present(Part::starts)) {
    const auto of = [&](const char* name) { return seen.values(Part::starts, at, name); };
    const std::vector<double> per = seen.values(Part::starts, at, [](const auto& r) { return r.measure("steps") / r.measure("condition"); });
    const std::vector<double> null = seen.values(Part::starts, at, [](const auto& r) { return std::abs(r.measure("null_norm") - r.measure("null_norm_0")); });
    off = std::max(off, largest(of("off_limit")));
    steps = std::max(steps, largest(per));
    moved = std::max(moved, largest(null));
    table.add({at / 100.0, regimen::mean_interval(of("steps")), regimen::mean_interval(per), kit::format("%.0e", largest(of("off_limit"))),
               kit::format("%.0e", largest(of("train_error"))), regimen::mean_interval(of("norm")), regimen::mean_interval(of("null_norm")),
               regimen::mean_interval(of("risk"))});
  }
  table.note("Off the limit: relative distance, the largest of the seeds, as is the training error (mean square).");
  claims.add(off < 1e-10, kit::format("gradient descent ends within 1e-10 of its limit (%.0e)", off));
  claims.add(steps < 20, kit::format("in at most 20 steps times the condition (%.1f)", steps));
  claims.add(moved < 1e-10, kit::format("the null part of w_0 stays as it was (to %.0e)", moved));
  return table;
}

inline Table descent(const Seen& seen, int draws, kit::Claims& claims) {
  Table table({number("p / n", 2), number("exact law", 3), number("its limit", 3), interval("risk", 3), interval("without noise's spread", 4),
               number("mean z", 2), number("largest |z|", 1), {.name = "within 2 s.e."}},
              "2. Double descent: excess risk of X^+ y, n = 100, isotropic, |theta| = sigma = 1");
  double furthest = 0, pooled = 0, beyond = 0, all = 0;
  for (const int at : seen.present(Part::ratios)) {
    const std::vector<double> z = seen.values(Part::ratios, at, "z");
    const auto within = std::count_if(z.begin(), z.end(), [](double each) { return std::abs(each) <= 2; });
    const double mean_z = regimen::mean_interval(z).mean;
    furthest = std::max({furthest, largest(z), largest(seen.values(Part::ratios, at, "z_over_noise"))});
    pooled = std::max(pooled, std::abs(mean_z) * std::sqrt(static_cast<double>(z.size())));
    beyond += static_cast<double>(z.size()) - static_cast<double>(within);
    all += static_cast<double>(z.size());
    table.add({at / 100.0, regimen::isotropic_ridgeless_risk(100, at).total(), regimen::isotropic_ridgeless_limit(at / 100.0).total(),
               seen.mean(Part::ratios, at, "risk"), seen.mean(Part::ratios, at, "risk_over_noise"), mean_z, largest(z),
               kit::format("%td of %zu", within, z.size())});
  }
  const double chance = 0.055, most = chance + 3 * std::sqrt(chance * (1 - chance) / all);
  table.note(kit::format("z: (mean of %d designs - exact law) / standard error, one for each seed and p / n; %.1f %% are beyond 2.", draws, 100 * beyond / all));
  claims.add(furthest < 4, kit::format("no mean of designs is 4 standard errors off the law (%.1f)", furthest));
  claims.add(pooled < 4, kit::format("nor is the mean over all seeds (%.1f)", pooled));
  claims.add(beyond / all <= most, kit::format("beyond 2 are no more than chance gives (5.5 %%, at most %.1f %%; %.1f %%)", 100 * most, 100 * beyond / all));
  return table;
}

inline Table spectra(const Seen& seen, kit::Claims& claims) {
  Table table({{.name = "spectrum"}, whole("n"), whole("p"), whole("k*"), number("r_k*", 0), number("R_k*", 0), number("r_0 / n", 3),
               number("k*/n + n/R", 3), interval("variance", 3), number("over the bound", 2), interval("bias", 3)},
              "3. Benign and malignant spectra: risk of X^+ y in units of sigma^2 = |theta|^2 = 1");
  for (const Part part : {Part::benign, Part::malignant}) {
    std::vector<int> present = seen.present(part);
    std::sort(present.begin(), present.end());
    double low = INFINITY, high = 0;
    for (const int at : present) {
      const std::vector<double> spectrum = spectrum_of({part, at});
      const auto n = static_cast<std::size_t>(at), k = regimen::benign_split(spectrum, n).value_or(0);
      const double bound = regimen::benign_variance_bound(spectrum, n);
      const regimen::Interval variance = seen.mean(part, at, "variance");
      low = std::min(low, variance.mean / bound);
      high = std::max(high, variance.mean / bound);
      table.add({name_of(part), at, spectrum.size(), k, regimen::effective_rank(spectrum, k), regimen::squared_effective_rank(spectrum, k),
                 regimen::effective_rank(spectrum) / at, bound, variance, variance.mean / bound, seen.mean(part, at, "bias")});
    }
    if (!present.empty()) {
      const double first = seen.mean(part, present.front(), "variance").mean, last = seen.mean(part, present.back(), "variance").mean;
      claims.add(low >= 0.5 && high <= 1.3, kit::format("%s: the variance is k*/n + n/R times 0.5 to 1.3 (%.2f to %.2f)", name_of(part).c_str(), low, high));
      claims.add(part == Part::malignant ? last > 0.8 : last < 1.2 * first * present.front() / present.back(),
                 part == Part::malignant ? kit::format("malignant: it stays at the noise's, sigma^2 (%.2f)", last)
                                         : kit::format("benign: it falls like 1 / n (from %.3f to %.3f)", first, last));
    }
  }
  table.note("Benign: 5 ones and a flat tail of sum 2; malignant: i^-2; both p = n^2 / 5. Exact over the noise, given the design.");
  return table;
}

inline Table parts(const Seen& seen, kit::Claims& claims) {
  Table table({whole("p"), {.name = "training error"}, interval("simple, at x_i", 3), interval("spiky, at x_i", 3), interval("simple, new x", 4),
               interval("spiky, new x", 4), interval("both, new x", 3), interval("simple - ridge", 5)},
              "4. Simple and spiky part of X^+ y: mean squares (n = 100, head of 5, tail of sum 20, noise 0.25)");
  for (const int at : seen.present(Part::tails)) {
    const auto of = [&](const char* name) { return seen.mean(Part::tails, at, name); };
    const double error = largest(seen.values(Part::tails, at, "train_error"));
    table.add({at, kit::format("%.0e", error), of("train_simple"), of("train_spiky"), of("test_simple"), of("test_spiky"), of("test_error"), of("off_ridge")});
    if (at >= 4000) {
      const double share = of("test_spiky").mean / of("train_spiky").mean;
      claims.add(error < 1e-18, kit::format("p = %d: both parts together fit every label", at));
      claims.add(share < 0.05, kit::format("p = %d: off the training points 0.05 of the spiky part is left at most (%.3f)", at, share));
      claims.add(of("off_ridge").mean < 0.002, kit::format("p = %d: the simple part is ridge regression within 0.002 (%.4f)", at, of("off_ridge").mean));
    }
  }
  table.note("Simple: its squared error against the truth. Ridge: of the labels on the head, with the tail's sum as the penalty.");
  return table;
}

inline Table lazy(const Seen& seen, kit::Claims& claims) {
  Table table({whole("width"), interval("steps", 0), interval("distance", 2), interval("relative", 4), interval("kernel change", 4),
               interval("f - f_lin", 4), interval("f - linear training", 4), interval("excess risk", 3)},
              "5. Lazy regime: two-layer ReLU networks, 40 points of 10 features, trained to a residual of 1e-4");
  for (const int at : seen.present(Part::lazy)) {
    const auto of = [&](const char* name) { return seen.mean(Part::lazy, at, name); };
    const std::vector<double> steps = seen.values(Part::train, at, [](const auto& r) { return static_cast<double>(r.history.back().clock.step); });
    table.add({at, regimen::mean_interval(steps), of("distance"), of("relative_distance"), of("kernel_change"), of("off_linearized"),
               of("off_linear_training"), of("risk")});
    if (at >= 1024) {
      claims.add(of("off_linearized").mean < 0.03, kit::format("width %d: f is its linearization within 3 %% (%.4f)", at, of("off_linearized").mean));
    }
  }
  struct Law { const char* measure; double from; double to; };
  for (const Law& law : {Law{"relative_distance", -0.65, -0.4}, Law{"kernel_change", -1.2, -0.75}, Law{"off_linearized", -1.2, -0.6}}) {
    const regimen::Interval slope = seen.slope(law.measure);
    table.note(kit::format("%s ~ width^a, a = %.3f +- %.3f", law.measure, slope.mean, slope.half_width));
    claims.add(slope.mean >= law.from && slope.mean <= law.to, kit::format("%s falls like width^a, a in [%.2f, %.2f] (%.2f)", law.measure, law.from, law.to, slope.mean));
  }
  return table;
}

}  // namespace tables

inline void show_results(const regimen::experiment::Results& results, const BenignSettings& s, bool check) {
  const Seen seen{results, s};
  kit::Claims claims;
  std::string text;
  const auto add = [&](Part part, const auto& table) {
    text += seen.present(part).empty() ? "" : regimen::report::terminal(table(), {.width = 150}) + "\n";
  };
  add(Part::starts, [&] { return tables::starts(seen, claims); });
  add(Part::ratios, [&] { return tables::descent(seen, s.draws, claims); });
  add(Part::benign, [&] { return tables::spectra(seen, claims); });
  add(Part::tails, [&] { return tables::parts(seen, claims); });
  add(Part::lazy, [&] { return tables::lazy(seen, claims); });
  text += "Means over seeds with Student-t 95 % intervals. Statements:\n" + claims.text();
  kit::write_picture(picture_of(seen), "benign-overfitting", s.out);
  kit::show_text(text, s.out, "results.csv");
  if (check) {
    claims.require_all();
  }
}
