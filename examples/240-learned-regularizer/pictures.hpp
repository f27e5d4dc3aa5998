#pragma once

#include <torch/torch.h>

#include <algorithm>
#include <string>
#include <vector>

#include <regimen/report.hpp>

#include "degradation.hpp"
#include "kit/closing.hpp"
#include "kit/pictures.hpp"
#include "kit/tiles.hpp"
#include "restorations.hpp"
#include "table.hpp"

namespace panels {

using namespace rg::report;

/// A row of images with the PSNR of each below it.
inline TileRow row(const std::string& name, const torch::Tensor& images, const torch::Tensor& truth) {
  TileRow row{.name = name};
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    row.tiles.push_back({.image = kit::pixels_of(images[i]),
                         .text = truth.defined() ? kit::format("%.1f dB", psnr(images[i], truth[i])) : ""});
  }
  return row;
}

/// The first test images, what was given of them, and what each method made of it.
inline Panel restorations(const Shown& potential, const Shown& implicit) {
  const torch::Tensor& truth = potential.truth;
  const torch::Tensor hidden = 1 - potential.mask.to(torch::kFloat);
  Tiles tiles;
  tiles.rows = {row("truth", truth, {}), row("given\n(missing: grey)", potential.given + hidden * 0.5, {}),
                row("total variation", potential.tv, truth), row("denoiser", potential.denoiser, truth)};
  if (implicit.fixed_point.defined()) {
    tiles.rows.push_back(row("implicit,\nfixed point", implicit.fixed_point, truth));
  }
  tiles.rows.push_back(row("fixed point\n(ELDER)", potential.fixed_point, truth));
  Panel panel{.title = "Restorations"};
  panel.tiles = std::move(tiles);
  return panel;
}

/// The objective of all test images along the descent, above its end.
inline Panel descents(const Shown& potential) {
  Panel panel{.title = "The objective never rises",
              .x = {.label = "iterations", .from = 0},
              .y = {.label = "F - least F, over F at the start", .scale = Scale::log}};
  const auto add = [&](const std::string& name, const torch::Tensor& objective, const char* paint) {
    Lines line{.name = name, .style = {.colour = paint, .dash = Dash::solid}};
    const double start = objective[0].item<double>(), least = objective.min().item<double>();
    for (std::int64_t i = 0; i + 1 < objective.size(0); ++i) {
      const double above = (objective[i].item<double>() - least) / start;
      line.x.push_back(static_cast<double>(i));
      line.y.push_back(above > 1e-8 ? above : rg::unknown);
    }
    panel.series.emplace_back(std::move(line));
  };
  add("denoiser", potential.of_denoiser, colour::orange);
  add("fixed point (ELDER)", potential.of_fixed_point, colour::blue);
  return panel;
}

inline Panel methods_of(const ImageResults& images) {
  Panel panel{.title = "Images with missing pixels",
              .x = {.from = -0.6, .to = static_cast<double>(methods().size()) - 0.4},
              .y = {.label = "PSNR, dB"}};
  ErrorBars bars{.style = {.colour = colour::black, .mark = Mark::disc}};
  Points seeds{.style = {.colour = colour::sky, .mark = Mark::disc, .size = 2}};
  for (std::size_t i = 0; i < methods().size(); ++i) {
    panel.x.ticks.push_back({static_cast<double>(i), methods()[i].title});
    bars.x.push_back(static_cast<double>(i));
    bars.y.emplace_back(rg::mean_interval(images.values(methods()[i])));
    for (const double value : images.values(methods()[i])) {
      seeds.x.push_back(static_cast<double>(i) + 0.2);
      seeds.y.push_back(value);
    }
  }
  panel.series = {seeds, bars};
  return panel;
}

/// Gain over the denoiser, at least `most_loss`, or the share of the restorations that a plain step leaves, by learning
/// rate: each seed, and their median.
inline constexpr double most_loss = -3;
inline Panel by_rate(const std::vector<SignalResults>& signals, bool gains) {
  Panel panel{.title = gains ? "Blurred signals: gain over the denoiser" : "Why it breaks: unstable minima",
              .x = {.label = "learning rate at the fixed point", .scale = Scale::log},
              .y = {.label = gains ? "dB" : "share of the restorations"}};
  const std::vector<double> before = values_of(signals.front(), "denoiser");
  Points seeds{.style = {.colour = colour::sky, .mark = Mark::disc, .size = 2}};
  Points medians{.style = {.colour = colour::black, .mark = Mark::disc}};
  for (std::size_t i = 1; i < signals.size(); ++i) {
    const double rate = std::stod(signals[i].rate);
    std::vector<double> values = values_of(signals[i], gains ? "fixed_point" : "unstable_fixed_point");
    for (std::size_t seed = 0; seed < values.size(); ++seed) {
      values[seed] = gains ? std::max(most_loss, values[seed] - before[seed]) : values[seed];
      seeds.x.push_back(rate * 1.06);
      seeds.y.push_back(values[seed]);
    }
    medians.x.push_back(rate);
    medians.y.push_back(std::isnan(largest(values)) ? rg::unknown : rg::median(values));
    panel.x.ticks.push_back({rate, signals[i].rate});
  }
  if (gains) {
    panel.series.emplace_back(Lines{.x = {medians.x.front() * 0.8, medians.x.back() * 1.25},
                                    .y = {0, 0},
                                    .style = {.colour = colour::grey, .dash = Dash::dashed, .width = 1}});
  }
  panel.series.emplace_back(seeds);
  panel.series.emplace_back(medians);
  return panel;
}

}  // namespace panels

/// No picture without results.
inline void draw(const ImageResults& images, const std::vector<SignalResults>& signals, const std::string& out,
                 kit::Closing& closing) {
  const Shown potential = Shown::load(out, "potential");
  if (potential.fixed_point.defined()) {
    rg::report::Picture picture{.caption = "The first test images of the first seed.",
                                .description = "Restorations of images with missing pixels.",
                                .columns = 1,
                                .width = 700};
    picture.panels = {panels::restorations(potential, Shown::load(out, "implicit"))};
    closing.draw(picture, "restorations", "Images with missing pixels, restored");
  }
  rg::report::Picture picture{.caption =
                                  "Blue: each seed. Black: in a) means with Student-t 95 % intervals, in c) and d) "
                                  "medians. In c) losses of more than 3 dB are drawn at -3.",
                              .description = "Learned regularizers: PSNR, descent, and learning rates.",
                              .columns = 2,
                              .width = 1000};
  if (!images.seeds.empty()) {
    picture.panels.push_back(panels::methods_of(images));
  }
  if (potential.fixed_point.defined()) {
    picture.panels.push_back(panels::descents(potential));
  }
  if (signals.size() > 1 && !signals.front().seeds.empty()) {
    picture.panels.push_back(panels::by_rate(signals, /*gains=*/true));
    picture.panels.push_back(panels::by_rate(signals, /*gains=*/false));
  }
  if (!picture.panels.empty()) {
    kit::letter(picture);
    closing.draw(picture, "learned-regularizer", "What the learned regularizer gains");
  }
}
