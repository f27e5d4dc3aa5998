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

#include "kit/claims.hpp"
#include "kit/format.hpp"
#include "settings.hpp"

using rg::report::Kind;
using rg::report::Table;

/// The results of the seeds for which all parts of the images are there.
struct ImageResults {
  std::vector<std::string> seeds{};
  std::vector<ex::Results> parts{};  ///< in the order of `image_parts`

  explicit ImageResults(const ex::Results& results) {
    std::vector<ex::Results> found;
    for (const std::string& part : image_parts()) {
      found.push_back(results.where({{"part", "images " + part}, {"job", "restored"}}));
    }
    seeds = ex::seeds_of_all(found);
    for (const ex::Results& part : found) {
      parts.push_back(ex::of_seeds(part, seeds));
    }
  }

  /// A measure of each seed, of the part that has it.
  [[nodiscard]] std::vector<double> values(const std::string& measure) const {
    for (const ex::Results& part : parts) {
      std::vector<double> all = part.values([&](const auto& each) { return each.measure(measure); });
      if (!all.empty() && !std::isnan(all.front())) {
        return all;
      }
    }
    return std::vector<double>(seeds.size(), rg::unknown);
  }
  [[nodiscard]] rg::Interval mean(const std::string& measure) const { return rg::mean_interval(values(measure)); }
  /// a - b, paired by seed.
  [[nodiscard]] rg::Interval gain(const std::string& a, const std::string& b) const {
    return rg::paired_difference(values(a), values(b));
  }
  [[nodiscard]] double least_gain(const std::string& a, const std::string& b) const {
    const std::vector<double> of_a = values(a), of_b = values(b);
    double least = of_a.front() - of_b.front();
    for (std::size_t i = 1; i < of_a.size(); ++i) {
      least = std::min(least, of_a[i] - of_b[i]);
    }
    return least;
  }
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
      row.emplace_back(images.values(method.key)[i]);
    }
    table.add(std::move(row));
  }
  std::vector<rg::report::Cell> row{"mean"};
  for (const Method& method : methods()) {
    row.emplace_back(images.mean(method.key).mean);
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
      table.add({method.title, images.gain("fixed_point", method.key), images.least_gain("fixed_point", method.key)});
    }
  }
  return table;
}

inline void claim_images(const ImageResults& images, kit::Claims& claims) {
  const std::string elder = "training at the fixed point beats the ";
  claims.below(0.6, images.least_gain("fixed_point", "denoiser"),
               elder + "denoiser on every seed, by more than 0.6 dB");
  claims.below(1, images.gain("fixed_point", "denoiser").mean, elder + "denoiser by more than 1 dB on average");
  claims.below(0.4, images.least_gain("fixed_point", "longer"),
               elder + "denoiser that is trained twice as long, on every seed");
  claims.below(0.3, images.gain("fixed_point", "tv").mean, elder + "total variation");
  claims.within(images.gain("fixed_point", "implicit").mean, -1, 1,
                "the explicit regularizer is as good as the implicit one, within 1 dB");
  for (const char* const of : {"denoiser", "fixed_point"}) {
    const std::vector<double> rises = images.values(std::string("rise_") + of);
    claims.below(*std::max_element(rises.begin(), rises.end()), 1e-5,
                 std::string("the objective never rises on the way, beyond rounding: ") + of);
  }
}

/// How restorations went and what they allow, by what was trained how.
inline Table solvers_table(const std::vector<std::pair<std::string, const ex::Results*>>& rows) {
  Table table(
      {{.name = "regularizer"},
       {.name = "lambda", .kind = Kind::number, .digits = 4},
       {.name = "descent: iterations", .key = "iterations", .kind = Kind::number, .digits = 0},
       {.name = "halvings of tau", .kind = Kind::number, .digits = 2},
       {.name = "largest rise of F / F", .key = "rise", .align = rg::report::Align::right},
       {.name = "largest eigenvalue of h", .key = "curvature", .kind = Kind::interval, .digits = 2},
       {.name = "times the rate", .key = "rate_curvature", .kind = Kind::number, .digits = 2},
       {.name = "unstable", .kind = Kind::percent, .digits = 1},
       {.name = "Picard converges", .key = "settled", .kind = Kind::percent, .digits = 1}},
      "3. The restorations: descent with backtracking, the Hessian of h where it ends, and whether steps of the "
      "fixed rate 0.4 stay there");
  for (const auto& [name, results] : rows) {
    if (results->empty()) {
      continue;
    }
    const std::string ending =
        std::isnan(results->begin()->measure("strength_denoiser")) || name.find("denoiser") == std::string::npos
            ? "_fixed_point"
            : "_denoiser";
    const auto mean = [&](const std::string& measure) {
      return rg::mean_interval(results->values([&](const auto& each) { return each.measure(measure + ending); }));
    };
    const std::vector<double> rises = results->values([&](const auto& each) { return each.measure("rise" + ending); });
    table.add({name, mean("strength").mean, mean("iterations").mean, mean("halvings").mean,
               kit::format("%.0e", *std::max_element(rises.begin(), rises.end())), mean("curvature"),
               potential_rate * mean("curvature").mean, mean("unstable").mean, mean("settled").mean});
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
               {.name = "most", .kind = Kind::number, .digits = 2},
               {.name = "solves that failed in training", .key = "failed", .kind = Kind::percent, .digits = 1}},
              kit::format("4. Blurred signals, %zu seeds", denoiser.seeds.size()));
  const std::vector<double> before = values_of(denoiser, "denoiser");
  const auto add = [&](const std::string& name, const std::vector<double>& after, rg::report::Cell failed) {
    std::vector<double> gains;
    for (std::size_t i = 0; i < before.size(); ++i) {
      gains.push_back(after[i] - before[i]);
    }
    table.add({name, rg::mean_interval(after), rg::mean_interval(gains), *std::min_element(gains.begin(), gains.end()),
               *std::max_element(gains.begin(), gains.end()), std::move(failed)});
  };
  for (const char* const method : {"tikhonov", "tv", "denoiser"}) {
    const auto named = std::find_if(methods().begin(), methods().end(), [&](const auto& m) { return m.key == method; });
    add(named->title, values_of(denoiser, method), rg::report::Missing{});
  }
  for (std::size_t i = 1; i < signals.size(); ++i) {
    add("fixed point, rate " + signals[i].rate, values_of(signals[i], "fixed_point"),
        rg::mean_interval(values_of(signals[i], "failed")).mean);
  }
  return table;
}

inline void claim_signals(const std::vector<SignalResults>& signals, kit::Claims& claims) {
  const std::vector<double> before = values_of(signals.front(), "denoiser");
  if (signals.size() > 1) {
    const rg::Interval gain = rg::paired_difference(values_of(signals[1], "fixed_point"), before);
    claims.below(0.1, gain.mean, "signals: training at the fixed point gains with rate " + signals[1].rate);
    claims.below(1, rg::paired_difference(before, values_of(signals.front(), "tikhonov")).mean,
                 "signals: a denoiser beats Tikhonov by more than 1 dB");
  }
  if (signals.size() > 2) {
    const SignalResults& fast = signals.back();
    claims.below(
        1, potential_rate * rg::mean_interval(values_of(fast, "curvature_fixed_point")).mean / 2,
        "signals: with rate " + fast.rate + " h becomes so curved that steps of the fixed rate leave its minima");
    claims.below(rg::mean_interval(values_of(fast, "settled_fixed_point")).mean,
                 rg::mean_interval(values_of(signals[1], "settled_fixed_point")).mean,
                 "signals: with rate " + fast.rate + " Picard's iteration converges less often");
  }
}
