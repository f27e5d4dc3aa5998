#pragma once
// The tables, and whether the statements hold.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <regimen/experiment.hpp>
#include <regimen/report.hpp>
#include <regimen/statistics.hpp>

#include "kit/claims.hpp"
#include "kit/format.hpp"
#include "settings.hpp"

using rg::report::Kind;
using rg::report::Table;

/// The least or the largest of some numbers; NaN if one of them is.
inline double least(const std::vector<double>& values) {
  double least = values.front();
  for (const double each : values) {
    least = std::isnan(each) || each < least ? each : least;
    if (std::isnan(least)) {
      return least;
    }
  }
  return least;
}
inline double largest(std::vector<double> values) {
  for (double& each : values) {
    each = -each;
  }
  return -least(values);
}

/// a - b of each seed.
inline std::vector<double> differences_of(std::vector<double> a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    a[i] -= b[i];
  }
  return a;
}

/// The results of the seeds for which all parts of the images are there.
struct ImageResults {
  std::vector<std::string> seeds{};
  std::map<std::string, ex::Results> parts{};

  explicit ImageResults(const ex::Results& results) {
    std::vector<ex::Results> found;
    for (const std::string& part : image_parts()) {
      found.push_back(results.where({{"part", "images " + part}, {"job", "restored"}}));
    }
    seeds = ex::seeds_of_all(found);
    for (std::size_t i = 0; i < found.size(); ++i) {
      parts[image_parts()[i]] = ex::of_seeds(found[i], seeds);
    }
  }

  /// The PSNR of each seed; NaN for one whose training diverged.
  [[nodiscard]] std::vector<double> values(const Method& method) const {
    return parts.at(method.part).values([&](const auto& each) { return each.measure(method.key); });
  }
  [[nodiscard]] std::vector<double> values(const std::string& key) const {
    return values(*std::find_if(methods().begin(), methods().end(), [&](const Method& m) { return m.key == key; }));
  }
  [[nodiscard]] std::vector<double> gains(const std::string& a, const std::string& b) const {
    return differences_of(values(a), values(b));
  }
  /// The share of the test images that the implicit regularizer's solver converged on, of each seed.
  [[nodiscard]] std::vector<double> implicit_converged() const {
    return parts.at("implicit").values([](const auto& each) { return each.measure("converged_implicit"); });
  }
  [[nodiscard]] double gain(const std::string& a, const std::string& b) const {
    return rg::mean_interval(gains(a, b)).mean;
  }
  [[nodiscard]] double least_gain(const std::string& a, const std::string& b) const { return least(gains(a, b)); }
};

inline Table images_table(const ImageResults& images, const ImageSettings& s) {
  std::vector<rg::report::Column> columns{{.name = "seed"}};
  for (const Method& method : methods()) {
    columns.push_back({.name = method.title, .key = method.key, .kind = Kind::number, .digits = 2});
  }
  Table table(std::move(columns), kit::format("1. Images with %.0f %% of the pixels missing: PSNR in dB of %d test "
                                              "images",
                                              100 * s.missing, s.test));
  for (std::size_t i = 0; i < images.seeds.size(); ++i) {
    std::vector<rg::report::Cell> row{images.seeds[i]};
    for (const Method& method : methods()) {
      row.emplace_back(images.values(method)[i]);
    }
    table.add(std::move(row));
  }
  std::vector<rg::report::Cell> row{"mean"};
  for (const Method& method : methods()) {
    row.emplace_back(rg::mean_interval(images.values(method)).mean);
  }
  table.add(std::move(row));
  return table;
}

inline Table gains_table(const ImageResults& images) {
  Table table({{.name = "fixed point (ELDER) over"},
               {.name = "dB, paired by seed", .key = "gain", .kind = Kind::interval, .digits = 2},
               {.name = "least", .kind = Kind::number, .digits = 2}},
              "2. What training at the fixed point gains");
  for (const Method& method : methods()) {
    if (method.key != "fixed_point") {
      table.add({method.title, rg::mean_interval(images.gains("fixed_point", method.key)),
                 images.least_gain("fixed_point", method.key)});
    }
  }
  return table;
}

inline void claim_images(const ImageResults& images, kit::Claims& claims) {
  const std::string elder = "training at the fixed point beats the ";
  claims.below(0.6, images.least_gain("fixed_point", "denoiser"),
               elder + "denoiser on every seed, by more than 0.6 dB");
  claims.below(1, images.gain("fixed_point", "denoiser"), elder + "denoiser by more than 1 dB on average");
  claims.below(0.4, images.least_gain("fixed_point", "longer"),
               elder + "denoiser that is trained twice as long, on every seed");
  claims.below(0.3, images.gain("fixed_point", "tv"), elder + "total variation");
  // An implicit regularizer has no objective that could be descended: where its iteration does not settle, it has no
  // restoration.
  const std::vector<double> gains = images.gains("fixed_point", "implicit"), settled = images.implicit_converged();
  std::vector<double> comparable;
  for (std::size_t i = 0; i < gains.size(); ++i) {
    if (settled[i] > 0.99) {
      comparable.push_back(gains[i]);
    }
  }
  if (!comparable.empty()) {
    claims.within(rg::mean_interval(comparable).mean, -1, 1,
                  kit::format("the explicit regularizer is as good as the implicit one, within 1 dB, in the %zu of %zu "
                              "seeds in which the latter converges",
                              comparable.size(), gains.size()));
  }
}

/// A row of the table of restorations: a trained regularizer, and the ending of its measures' names.
struct Restored {
  std::string name;
  std::string ending;
  const ex::Results* results;
};

/// How restorations went and what they allow, by what was trained how; what its training's solves took. An implicit
/// regularizer has neither an objective nor a Hessian.
inline Table solvers_table(const std::vector<Restored>& rows) {
  Table table(
      {{.name = "regularizer"},
       {.name = "lambda", .kind = Kind::number, .digits = 4},
       {.name = "descent: iterations", .key = "iterations", .kind = Kind::number, .digits = 0},
       {.name = "converged", .kind = Kind::percent, .digits = 1},
       {.name = "largest rise of F", .key = "rise", .align = rg::report::Align::right},
       {.name = "largest |eigenvalue| of h, median", .key = "curvature", .kind = Kind::number, .digits = 2},
       {.name = "unstable", .kind = Kind::percent, .digits = 1},
       {.name = "Picard converges", .key = "settled", .kind = Kind::percent, .digits = 1},
       {.name = "solves: forward", .key = "forward", .kind = Kind::number, .digits = 0},
       {.name = "backward", .kind = Kind::number, .digits = 0},
       {.name = "batches that failed", .key = "failed", .kind = Kind::percent, .digits = 1}},
      "3. The restorations: descent with backtracking, the Hessian of h where it ends, and whether steps of the "
      "fixed rate 0.4 stay there");
  for (const Restored& row : rows) {
    if (row.results->empty()) {
      continue;
    }
    const auto values = [&](const std::string& measure) {
      return row.results->values([&](const auto& each) { return each.measure(measure); });
    };
    const auto mean = [&](const char* measure) -> rg::report::Cell {
      const rg::Interval found = rg::mean_interval(values(measure + row.ending));
      return std::isnan(found.mean) ? rg::report::Cell(rg::report::Missing{}) : rg::report::Cell(found.mean);
    };
    const bool solves = row.ending == "_fixed_point" || row.ending == "_implicit";
    const auto of_training = [&](const char* measure) -> rg::report::Cell {
      return solves ? rg::report::Cell(rg::mean_interval(values(measure)).mean)
                    : rg::report::Cell(rg::report::Missing{});
    };
    const double rise = largest(values("rise" + row.ending));
    const std::vector<double> curvatures = values("curvature" + row.ending);
    const bool has_curvature = !std::isnan(largest(curvatures));
    table.add({row.name, mean("strength"), mean("iterations"), mean("converged"),
               std::isnan(rise) ? rg::report::Cell(rg::report::Missing{}) : rg::report::Cell(kit::format("%.0e", rise)),
               has_curvature ? rg::report::Cell(rg::median(curvatures)) : rg::report::Cell(rg::report::Missing{}),
               mean("unstable"), mean("settled"), of_training("forward"), of_training("backward"),
               of_training("failed")});
  }
  return table;
}

/// The results of one rate on signals, or of the denoiser (rate "").
struct SignalResults {
  std::string rate;
  ex::Results seeds;
};

inline std::vector<SignalResults> signal_results(const ex::Results& results, const SignalSettings& s) {
  std::vector<std::string> rates{""};
  for (const double rate : s.rates) {
    rates.push_back(SignalUnit::rate_of(rate));
  }
  std::vector<ex::Results> found;
  for (const std::string& rate : rates) {
    found.push_back(results.where({{"part", "signals"}, {"job", "restored"}, {"rate", rate}}));
  }
  const std::vector<std::string> seeds = ex::seeds_of_all(found);
  std::vector<SignalResults> all;
  for (std::size_t i = 0; i < rates.size(); ++i) {
    all.push_back({rates[i], ex::of_seeds(found[i], seeds)});
  }
  return all;
}

inline std::vector<double> values_of(const SignalResults& of, const std::string& measure) {
  return of.seeds.values([&](const auto& each) { return each.measure(measure); });
}

inline Table signals_table(const std::vector<SignalResults>& signals) {
  const SignalResults& denoiser = signals.front();
  Table table({{.name = "regularizer"},
               {.name = "PSNR, dB", .key = "psnr", .kind = Kind::interval, .digits = 2},
               {.name = "over the denoiser, paired", .key = "gain", .kind = Kind::interval, .digits = 2},
               {.name = "least", .kind = Kind::number, .digits = 2},
               {.name = "most", .kind = Kind::number, .digits = 2}},
              kit::format("4. Blurred signals, %zu seeds", denoiser.seeds.size()));
  const std::vector<double> before = values_of(denoiser, "denoiser");
  const auto add = [&](const std::string& name, const std::vector<double>& after) {
    const std::vector<double> gains = differences_of(after, before);
    table.add({name, rg::mean_interval(after), rg::mean_interval(gains), least(gains), largest(gains)});
  };
  for (const Method& method : methods()) {
    if (method.key == "tikhonov" || method.key == "tv" || method.key == "denoiser") {
      add(method.title, values_of(denoiser, method.key));
    }
  }
  for (std::size_t i = 1; i < signals.size(); ++i) {
    add("fixed point, rate " + signals[i].rate, values_of(signals[i], "fixed_point"));
  }
  return table;
}

/// The first rate is meant to work, the largest to break.
inline void claim_signals(const std::vector<SignalResults>& signals, kit::Claims& claims) {
  const SignalResults &denoiser = signals.front(), &works = signals[1];
  const auto mean = [](const SignalResults& of, const char* measure) {
    return rg::mean_interval(values_of(of, measure)).mean;
  };
  const double gain = mean(works, "fixed_point") - mean(denoiser, "denoiser");
  const std::string rate = "signals, rate " + works.rate + ": ";
  claims.below(0.2, gain, rate + "training at the fixed point gains over the denoiser");
  claims.below(mean(denoiser, "tv") - 0.3, mean(works, "fixed_point"),
               rate + "it is not worse than total variation by more than 0.3 dB");
  claims.below(1, mean(denoiser, "denoiser") - mean(denoiser, "tikhonov"),
               "signals: a denoiser beats Tikhonov by more than 1 dB");
  const SignalResults& fast = *std::max_element(signals.begin() + 1, signals.end(), [](const auto& a, const auto& b) {
    return std::stod(a.rate) < std::stod(b.rate);
  });
  if (fast.rate != works.rate) {
    const std::string broken = "signals, rate " + fast.rate + ": ";
    claims.below(mean(fast, "fixed_point"), mean(works, "fixed_point"), broken + "it restores worse");
    claims.below(mean(works, "unstable_fixed_point") + 0.2, mean(fast, "unstable_fixed_point"),
                 broken + "more of the restorations are such that a plain step leaves them");
    claims.below(mean(fast, "settled_fixed_point"), mean(works, "settled_fixed_point") - 0.2,
                 broken + "Picard's iteration converges less often");
  }
}
