#pragma once
// The picture: the tables' numbers, and two interpolators in one dimension.

#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>
#include <regimen/report.hpp>

#include "seen.hpp"
#include "settings.hpp"

/// Fitting 12 noisy points of a curve on [0, 1] by waves: features sqrt(2 spectrum) cos and sin of the frequencies.
struct Waves {
  std::vector<double> spectrum{};  ///< of 1, then of cos and sin of each frequency
  at::Tensor x = (at::arange(12, at::kDouble) + 0.15 + 0.7 * uniform(1)) / 12;
  at::Tensor y = truth(x) + 0.5 * regimen::Key(2, at::arange(12, at::kLong)).normal().to(at::kDouble);
  /// Where curves are drawn: evenly, and at the points, where spikes have their tips.
  at::Tensor grid = std::get<0>(at::cat({at::linspace(0, 1, 1201, at::kDouble), x}).sort());

  static at::Tensor uniform(std::uint64_t seed) {
    return regimen::Key(seed, at::arange(12, at::kLong)).uniform().to(at::kDouble);
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
using regimen::report::Panel;
using regimen::report::Points;
using regimen::report::Scale;
namespace colour = regimen::report::colour;

/// Means over seeds against what a part varies, divided by `unit`.
inline ErrorBars means(const Seen& seen, Part part, const char* measure, const char* name, const char* paint, double unit = 1) {
  ErrorBars bars{.name = name, .style = {.colour = paint}};
  for (const int at : seen.present(part)) {
    bars.x.push_back(at / unit);
    bars.y.emplace_back(seen.mean(part, at, measure));
  }
  return bars;
}

inline void add(Panel& panel, const ErrorBars& bars) {
  if (!bars.x.empty()) {
    panel.series.emplace_back(bars);
  }
}

inline Panel descent(const Seen& seen) {
  Panel panel{.title = "Double descent", .x = {.label = "features / samples", .from = 0.1, .to = 12, .scale = Scale::log},
              .y = {.label = "excess risk", .from = 0.1, .to = 100, .scale = Scale::log}};
  Lines law{.name = "exact law, n = 100", .style = {.colour = colour::black}};
  for (int p = 10; p <= 1200; p += p < 150 ? 1 : 10) {
    law.x.push_back(p / 100.0);
    law.y.push_back(regimen::isotropic_ridgeless_risk(100, p).total());
  }
  panel.series.emplace_back(law);
  add(panel, means(seen, Part::ratios, "risk", "measured", colour::vermillion, 100));
  return panel;
}

inline Panel spectra(const Seen& seen) {
  Panel panel{.title = "Variance of the interpolator", .x = {.label = "samples n", .scale = Scale::log},
              .y = {.label = "variance / sigma^2", .scale = Scale::log}};
  for (const Part part : {Part::benign, Part::malignant}) {
    const char* const paint = part == Part::benign ? colour::blue : colour::purple;
    Lines bound{.name = "its bound k*/n + n/R", .style = {.colour = paint, .dash = Dash::dashed}};
    bound.name = name_of(part) + ": k*/n + n/R_k*";
    for (const int at : seen.present(part)) {
      bound.x.push_back(at);
      bound.y.push_back(regimen::benign_variance_bound(spectrum_of({part, at}), static_cast<std::size_t>(at)));
    }
    if (!bound.x.empty()) {
      panel.series.emplace_back(bound);
      add(panel, means(seen, part, "variance", part == Part::benign ? "benign spectrum" : "malignant spectrum", paint));
    }
  }
  return panel;
}

/// The interpolator of a head of 5 waves and a long flat tail.
inline Panel slice() {
  const Waves waves{.spectrum = regimen::spiked_spectrum(5, 401, 2)};
  const regimen::SimpleAndSpiky f(regimen::minimum_norm_solution(waves.features(waves.x), waves.y), 5);
  const at::Tensor at_grid = waves.features(waves.grid);
  const std::vector<double> x = numbers(waves.grid);
  return {.title = "Simple and spiky", .x = {.label = "x", .from = 0, .to = 1}, .y = {.label = "f(x)", .from = -2.5, .to = 2.5},
          .series = {Lines{.name = "simple + spiky", .x = x, .y = numbers(f(at_grid)), .style = {.colour = colour::sky, .width = 1.1}},
                     Lines{.name = "truth", .x = x, .y = numbers(Waves::truth(waves.grid)), .style = {.colour = colour::grey, .dash = Dash::dashed}},
                     Lines{.name = "simple part", .x = x, .y = numbers(f.simple(at_grid)), .style = {.colour = colour::blue}},
                     Points{.name = "training points", .x = numbers(waves.x), .y = numbers(waves.y), .style = {.colour = colour::black}}}};
}

/// Gradient descent from two starts on few waves of falling variance: both fit all points.
inline Panel two_minima() {
  Waves waves{.spectrum = {1}};
  for (int frequency = 1; frequency <= 15; ++frequency) {
    waves.spectrum.insert(waves.spectrum.end(), 2, std::pow(frequency, -2.0));
  }
  const at::Tensor X = waves.features(waves.x), at_grid = waves.features(waves.grid);
  const at::Tensor w_0 = 2 * regimen::Key(3, at::arange(X.size(1), at::kLong)).normal().to(at::kDouble);
  const std::vector<double> x = numbers(waves.grid);
  const auto end = [&](const at::Tensor& from) { return numbers(at_grid.matmul(regimen::least_squares_descent(X, waves.y, from).w)); };
  return {.title = "Two minima of one loss", .x = {.label = "x", .from = 0, .to = 1}, .y = {.label = "f(x)"},
          .series = {Lines{.name = "descent from w_0", .x = x, .y = end(w_0), .style = {.colour = colour::vermillion, .dash = Dash::dashed, .width = 1.4}},
                     Lines{.name = "truth", .x = x, .y = numbers(Waves::truth(waves.grid)), .style = {.colour = colour::grey, .dash = Dash::dashed}},
                     Lines{.name = "descent from 0", .x = x, .y = end({}), .style = {.colour = colour::green}},
                     Points{.name = "training points", .x = numbers(waves.x), .y = numbers(waves.y), .style = {.colour = colour::black}}}};
}

inline Panel parts(const Seen& seen) {
  Panel panel{.title = "The two parts' mean squares", .x = {.label = "features p", .scale = Scale::log}, .y = {.label = "mean square", .scale = Scale::log}};
  add(panel, means(seen, Part::tails, "train_spiky", "spiky, at training points", colour::black));
  add(panel, means(seen, Part::tails, "test_spiky", "spiky, at new points", colour::sky));
  add(panel, means(seen, Part::tails, "test_simple", "simple's error, at new points", colour::blue));
  return panel;
}

inline Panel lazy(const Seen& seen) {
  Panel panel{.title = "Lazy regime", .x = {.label = "hidden units", .scale = Scale::log}, .y = {.label = "relative change", .scale = Scale::log}};
  add(panel, means(seen, Part::lazy, "relative_distance", "weights", colour::green));
  add(panel, means(seen, Part::lazy, "kernel_change", "tangent kernel", colour::orange));
  add(panel, means(seen, Part::lazy, "off_linearized", "f from its linearization", colour::purple));
  return panel;
}

}  // namespace panels

inline regimen::report::Picture picture_of(const Seen& seen) {
  regimen::report::Picture picture{.title = "Benign overfitting: what interpolation costs", .columns = 2};
  picture.panels = {panels::descent(seen), panels::spectra(seen), panels::slice(), panels::two_minima()};
  if (!seen.present(Part::tails).empty()) {
    picture.panels.push_back(panels::parts(seen));
  }
  if (!seen.present(Part::lazy).empty()) {
    picture.panels.push_back(panels::lazy(seen));
  }
  for (std::size_t i = 0; i < picture.panels.size(); ++i) {
    picture.panels[i].title = std::string(1, static_cast<char>('a' + i)) + ") " + picture.panels[i].title;
  }
  return picture;
}
