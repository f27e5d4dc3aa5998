#pragma once
// The picture: the tables' numbers, and two interpolators in one dimension.

#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <numbers>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>
#include <regimen/report.hpp>

#include "kit/pictures.hpp"
#include "kit/sweep.hpp"
#include "settings.hpp"

/// Fitting 20 noisy points of a curve on [0, 1] by waves: features sqrt(2 spectrum) cos and sin of the frequencies.
struct Waves {
  static constexpr std::int64_t points = 20;
  std::vector<double> spectrum{};  ///< of 1, then of cos and sin of each frequency
  at::Tensor x = (at::arange(points, at::kDouble) + 0.15 + 0.7 * uniform(1)) / points;
  at::Tensor y = truth(x) + 0.5 * regimen::Key(2, at::arange(points, at::kLong)).normal().to(at::kDouble);
  /// Where curves are drawn: evenly, and at the points, where spikes have their tips.
  at::Tensor grid = std::get<0>(at::cat({at::linspace(0, 1, 1201, at::kDouble), x}).sort());

  static at::Tensor uniform(std::uint64_t seed) {
    return regimen::Key(seed, at::arange(points, at::kLong)).uniform().to(at::kDouble);
  }
  static at::Tensor truth(const at::Tensor& x) {
    return (x * 2 * std::numbers::pi).sin() + 0.5 * (x * 4 * std::numbers::pi).cos();
  }
  [[nodiscard]] at::Tensor features(const at::Tensor& at_x) const {
    std::vector<at::Tensor> columns{at::ones_like(at_x) * std::sqrt(spectrum[0])};
    for (std::size_t j = 1; j < spectrum.size(); ++j) {
      const at::Tensor angle = at_x * (2 * std::numbers::pi * static_cast<double>((j + 1) / 2));
      columns.push_back((j % 2 == 1 ? angle.cos() : angle.sin()) * std::sqrt(2 * spectrum[j]));
    }
    return at::stack(columns, 1);
  }
};

inline std::vector<double> numbers(const at::Tensor& tensor) {
  const at::Tensor values = tensor.contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

namespace panels {

using regimen::report::Axis;
using regimen::report::Dash;
using regimen::report::ErrorBars;
using regimen::report::Lines;
using regimen::report::Mark;
using regimen::report::Panel;
using regimen::report::Points;
using regimen::report::Scale;
namespace colour = regimen::report::colour;

using Sweeps = std::map<std::string, kit::Sweep>;

/// The settings of a part as ticks, as many as have room.
inline std::vector<regimen::report::Tick> ticks(const Sweeps& sweeps, const std::string& part, std::size_t every) {
  std::vector<regimen::report::Tick> all;
  const std::vector<int>& settings = sweeps.at(part).settings();
  for (std::size_t i = 0; i < settings.size(); i += every) {
    all.push_back({static_cast<double>(settings[i]), std::to_string(settings[i])});
  }
  return all;
}

/// A measure against what its part varies, with its intervals, and a thin line from mean to mean.
inline void add(Panel& panel, const Sweeps& sweeps, const std::string& part, const char* measure, const char* name,
                const char* paint, double unit = 1, bool joined = true) {
  const auto sweep = sweeps.find(part);
  if (sweep == sweeps.end()) {
    return;
  }
  ErrorBars bars = sweep->second.bars(measure, name, paint, unit);
  for (auto& each : bars.y) {
    if (each.low <= 0) {  // of very few seeds: no place on a logarithmic axis
      each.low = each.high = regimen::unknown;
    }
  }
  if (joined) {
    panel.series.emplace_back(kit::joined(bars));
  }
  panel.series.emplace_back(bars);
}

inline Panel descent(const Sweeps& sweeps) {
  Panel panel{.title = "Double descent",
              .x = {.label = "features / samples", .from = 0.1, .to = 12, .scale = Scale::log},
              .y = {.label = "excess risk", .from = 0.1, .to = 100, .scale = Scale::log}};
  Lines law{.name = "exact law, n = 100", .style = {.colour = colour::black}};
  for (int p = 10; p <= 1200; p += p < 150 ? 1 : 10) {
    law.x.push_back(p / 100.0);
    law.y.push_back(regimen::isotropic_ridgeless_risk(100, p).total());
  }
  panel.series.emplace_back(law);
  add(panel, sweeps, "ratio", "risk", "measured", colour::vermillion, 100, false);
  return panel;
}

inline Panel spectra(const Sweeps& sweeps) {
  Panel panel{.title = "Variance of the interpolator",
              .subtitle = "dashed: k*/n + n/R_k*",
              .x = {.label = "samples n", .scale = Scale::log},
              .y = {.label = "variance / σ²", .to = 2, .scale = Scale::log}};
  for (const char* const part : {"benign", "malignant"}) {
    const bool benign = std::string(part) == "benign";
    const char* const paint = benign ? colour::blue : colour::purple;
    if (const auto sweep = sweeps.find(part); sweep != sweeps.end()) {
      Lines bound{.style = {.colour = paint, .dash = Dash::dashed, .width = 1.2}};
      panel.x.ticks = ticks(sweeps, part, 1);
      for (const int at : sweep->second.settings()) {
        bound.x.push_back(at);
        bound.y.push_back(sweep->second.mean(at, "bound").mean);
      }
      panel.series.emplace_back(bound);
    }
    add(panel, sweeps, part, "variance", benign ? "benign spectrum" : "malignant spectrum", paint, 1, false);
  }
  return panel;
}

inline Lines truth_of(const Waves& waves) {
  return {.name = "truth",
          .x = numbers(waves.grid),
          .y = numbers(Waves::truth(waves.grid)),
          .style = {.colour = colour::black, .dash = Dash::dashed, .width = 1.2}};
}
inline Points points_of(const Waves& waves) {
  return {.name = "training points",
          .x = numbers(waves.x),
          .y = numbers(waves.y),
          .style = {.colour = colour::black, .mark = Mark::disc, .size = 3}};
}

/// The interpolator of a head of 5 waves and a long flat tail.
inline Panel slice() {
  const Waves waves{.spectrum = regimen::spiked_spectrum(5, 401, 1)};
  const regimen::SimpleAndSpiky f(regimen::minimum_norm_solution(waves.features(waves.x), waves.y), 5);
  const at::Tensor at_grid = waves.features(waves.grid);
  const std::vector<double> x = numbers(waves.grid);
  return {.title = "Simple and spiky",
          .x = {.label = "x", .from = 0, .to = 1},
          .y = {.label = "f(x)"},
          .series = {Lines{.name = "simple + spiky",
                           .x = x,
                           .y = numbers(f(at_grid)),
                           .style = {.colour = colour::sky, .dash = Dash::solid, .width = 1.1}},
                     truth_of(waves),
                     Lines{.name = "simple part",
                           .x = x,
                           .y = numbers(f.simple(at_grid)),
                           .style = {.colour = colour::blue, .dash = Dash::solid}},
                     points_of(waves)}};
}

/// Gradient descent from two starts on few waves of falling variance: both fit all points.
inline Panel two_minima() {
  Waves waves{.spectrum = {1}};
  for (int frequency = 1; frequency <= 20; ++frequency) {
    waves.spectrum.insert(waves.spectrum.end(), 2, std::pow(frequency, -2.0));
  }
  const at::Tensor X = waves.features(waves.x), at_grid = waves.features(waves.grid);
  const at::Tensor w_0 = 2 * regimen::Key(3, at::arange(X.size(1), at::kLong)).normal().to(at::kDouble);
  const std::vector<double> x = numbers(waves.grid);
  const auto end = [&](const at::Tensor& from) {
    return numbers(at_grid.matmul(regimen::least_squares_descent(X, waves.y, from).w));
  };
  return {
      .title = "Two minima of one loss",
      .x = {.label = "x", .from = 0, .to = 1},
      .y = {.label = "f(x)"},
      .series = {
          Lines{.name = "descent from w₀",
                .x = x,
                .y = end(w_0),
                .style = {.colour = colour::vermillion, .dash = Dash::solid, .width = 1.2}},
          truth_of(waves),
          Lines{
              .name = "descent from 0", .x = x, .y = end({}), .style = {.colour = colour::green, .dash = Dash::solid}},
          points_of(waves)}};
}

inline Panel parts(const Sweeps& sweeps) {
  Panel panel{.title = "The two parts' mean squares",
              .x = {.label = "features p", .scale = Scale::log, .ticks = ticks(sweeps, "tail", 1)},
              .y = {.label = "mean square", .scale = Scale::log}};
  add(panel, sweeps, "tail", "spiky_at_points", "spiky, at training points", colour::black);
  add(panel, sweeps, "tail", "spiky", "spiky, at new points", colour::sky);
  add(panel, sweeps, "tail", "simple", "simple's error, at new points", colour::blue);
  return panel;
}

inline Panel lazy(const Sweeps& sweeps) {
  Panel panel{.title = "Lazy regime",
              .x = {.label = "hidden units", .scale = Scale::log, .ticks = ticks(sweeps, "lazy", 2)},
              .y = {.label = "relative change", .scale = Scale::log}};
  add(panel, sweeps, "lazy", "relative_distance", "weights", colour::green);
  add(panel, sweeps, "lazy", "kernel_change", "tangent kernel", colour::orange);
  add(panel, sweeps, "lazy", "off_linearized", "f from its linearization", colour::purple);
  return panel;
}

}  // namespace panels

inline regimen::report::Picture picture_of(const std::map<std::string, kit::Sweep>& sweeps) {
  regimen::report::Picture picture{.title = "Benign overfitting: what interpolation costs", .columns = 2};
  const bool all = sweeps.count("benign") > 0 && sweeps.count("tail") > 0 && sweeps.count("lazy") > 0;
  picture.panels = {panels::slice(), panels::two_minima()};
  if (all) {
    picture.panels = {panels::descent(sweeps), panels::spectra(sweeps), panels::slice(),
                      panels::two_minima(),    panels::parts(sweeps),   panels::lazy(sweeps)};
  }
  kit::letter(picture);
  return picture;
}
