#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <regimen/report.hpp>

#include "kit/closing.hpp"
#include "kit/pictures.hpp"
#include "table.hpp"

namespace panels {

using namespace rg::report;

inline const char* paint_of(const std::string& arm) {
  return arm == "relu"         ? colour::black
         : arm == "batch-norm" ? colour::green
         : arm == "norm"       ? colour::orange
         : arm == "balanced"   ? colour::blue
         : arm == "units"      ? colour::vermillion
                               : colour::purple;
}

/// The depths of one width in equal steps, for they are 10, 20, 50, 100.
struct Depths {
  int width;
  std::vector<int> all{};

  Depths(const std::vector<CellResults>& cells, int of_width) : width(of_width) {
    for (const CellResults& each : cells) {
      if (each.cell.width == width && std::find(all.begin(), all.end(), each.cell.depth) == all.end()) {
        all.push_back(each.cell.depth);
      }
    }
  }
  [[nodiscard]] Axis axis() const {
    Axis x{.label = "depth (hidden layers)", .from = -0.6, .to = static_cast<double>(all.size()) - 0.4};
    for (std::size_t i = 0; i < all.size(); ++i) {
      x.ticks.push_back({static_cast<double>(i), std::to_string(all[i])});
    }
    return x;
  }
};

/// Every seed's best accuracy as a dot, the arms beside each other.
inline Panel best(const std::vector<CellResults>& cells, const Depths& depths, const std::vector<std::string>& arms) {
  Panel panel{.title = kit::format("Two moons, width %d: every seed", depths.width),
              .x = depths.axis(),
              .y = {.label = "best training accuracy", .from = 0.45, .to = 1.02}};
  for (std::size_t i = 0; i < arms.size(); ++i) {
    Points dots{.name = title_of(arms[i]), .style = {.colour = paint_of(arms[i]), .mark = Mark::disc, .size = 2.2}};
    for (std::size_t depth = 0; depth < depths.all.size(); ++depth) {
      if (const CellResults* const of = find(cells, depths.width, depths.all[depth], arms[i])) {
        for (const double value : of->values("best")) {
          dots.x.push_back(static_cast<double>(depth) +
                           0.13 * (static_cast<double>(i) - (static_cast<double>(arms.size()) - 1) / 2));
          dots.y.push_back(value);
        }
      }
    }
    if (!dots.x.empty()) {
      panel.series.emplace_back(std::move(dots));
    }
  }
  return panel;
}

/// The share of seeds that reach 95 % of the training points.
inline Panel reached(const std::vector<CellResults>& cells, const Depths& depths,
                     const std::vector<std::string>& arms) {
  Panel panel{.title = kit::format("Width %d: seeds that reach 95 %%", depths.width),
              .x = depths.axis(),
              .y = {.label = "share of the seeds", .from = 0, .to = 1}};
  for (std::size_t i = 0; i < arms.size(); ++i) {
    ErrorBars bars{.style = {.colour = paint_of(arms[i]), .mark = Mark::disc}};
    for (std::size_t depth = 0; depth < depths.all.size(); ++depth) {
      if (const CellResults* const of = find(cells, depths.width, depths.all[depth], arms[i])) {
        bars.x.push_back(static_cast<double>(depth) +
                         0.05 * (static_cast<double>(i) - (static_cast<double>(arms.size()) - 1) / 2));
        bars.y.emplace_back(of->share_reached());
      }
    }
    if (!bars.x.empty()) {
      panel.series.insert(panel.series.end(), {kit::joined(bars), bars});
    }
  }
  return panel;
}

/// Dead, affine and separating units from the first layer to the last, one over another.
inline Panel layers(const ex::Results& tenths, const std::string& title, const std::string& when, bool named) {
  Panel panel{.title = title,
              .x = {.label = "layer, in % of the depth", .from = 0, .to = 100},
              .y = {.label = "share of the units", .from = 0, .to = 1}};
  Band dead{.name = named ? "dead units" : "", .style = {.colour = colour::black}};
  Band affine{.name = named ? "affine units" : "", .style = {.colour = colour::orange}};
  Band separating{.name = named ? "separating units" : "", .style = {.colour = colour::blue}};
  Lines points{.name = named ? "points for which the whole layer is dead" : "",
               .style = {.colour = colour::vermillion, .dash = Dash::dashed}};
  double at = 0;
  const double step = 100.0 / static_cast<double>(tenths.size());
  for (const ex::Result& tenth : tenths) {
    const double of_dead = tenth.measure("dead_" + when), of_affine = tenth.measure("affine_" + when);
    for (const double x : {at, at + step}) {
      for (Band* const band : {&dead, &affine, &separating}) {
        band->x.push_back(x);
      }
      dead.low.push_back(0);
      dead.high.push_back(of_dead);
      affine.low.push_back(of_dead);
      affine.high.push_back(of_dead + of_affine);
      separating.low.push_back(of_dead + of_affine);
      separating.high.push_back(1);
    }
    points.x.push_back(at + step / 2);
    points.y.push_back(tenth.measure("dead_points_" + when));
    at += step;
  }
  panel.series = {dead, affine, separating, points};
  return panel;
}

/// Test accuracy along the steps, a line for each seed.
inline Panel images(const std::vector<DeepResults>& arms, const DeepSettings& s) {
  Panel panel{.title = kit::format("Images, %d convolutions of width %d", s.depth, s.width),
              .x = {.label = "steps", .from = 0},
              .y = {.label = "test accuracy", .from = 0, .to = 1}};
  for (const DeepResults& each : arms) {
    for (const ex::Result& seed : each.seeds) {
      Lines line{.style = {.colour = paint_of(each.arm), .dash = Dash::solid}};
      for (const rg::Epoch& epoch : seed.history.epochs) {
        if (epoch.test.scored()) {
          line.x.push_back(static_cast<double>(epoch.clock.step));
          line.y.push_back(epoch.test.accuracy);
        }
      }
      panel.series.emplace_back(std::move(line));
    }
  }
  return panel;
}

/// The share of seeds that reach 95 % by width and depth.
inline Panel grid(const std::vector<CellResults>& cells, const MoonsSettings& s, const std::string& arm, bool named) {
  std::vector<int> widths = s.widths;
  std::sort(widths.begin(), widths.end());
  HeatGrid heat{.name = named ? "share of the seeds that reach 95 %" : "",
                .rows = widths.size(),
                .columns = s.depths.size(),
                .left = -0.5,
                .right = static_cast<double>(s.depths.size()) - 0.5,
                .bottom = -0.5,
                .top = static_cast<double>(widths.size()) - 0.5,
                .from = 0,
                .to = 1};
  Panel panel{.title = title_of(arm), .x = {.label = "depth"}, .y = {.label = "width"}};
  panel.x.from = heat.left;
  panel.x.to = heat.right;
  panel.y.from = heat.bottom;
  panel.y.to = heat.top;
  for (std::size_t row = 0; row < widths.size(); ++row) {
    panel.y.ticks.push_back({static_cast<double>(row), std::to_string(widths[row])});
    for (std::size_t column = 0; column < s.depths.size(); ++column) {
      const CellResults* const of = find(cells, widths[row], s.depths[column], arm);
      heat.values.push_back(of == nullptr ? rg::unknown : of->share_reached().share);
    }
  }
  for (std::size_t column = 0; column < s.depths.size(); ++column) {
    panel.x.ticks.push_back({static_cast<double>(column), std::to_string(s.depths[column])});
  }
  panel.series.emplace_back(std::move(heat));
  panel.height = 110;
  return panel;
}

}  // namespace panels

/// No picture without results.
inline void draw(const std::vector<CellResults>& cells, const ex::Results& results,
                 const std::vector<DeepResults>& images, const JumpstartSettings& s, kit::Closing& closing) {
  rg::report::Picture picture{
      .caption = "Colours in b) and c) as in a). Shares have Wilson 95 % intervals; c) has a line for each seed.",
      .description =
          "Accuracy of deep and thin networks with Jumpstart regularization and without, and "
          "what their units do.",
      .columns = 3,
      .width = 1000};
  if (!cells.empty()) {
    const panels::Depths depths(cells, s.moons.widths.front());
    if (!depths.all.empty()) {
      picture.panels.push_back(panels::best(cells, depths, s.moons.arms));
      picture.panels.push_back(panels::reached(cells, depths, s.moons.arms));
    }
  }
  if (!images.empty()) {
    picture.panels.push_back(panels::images(images, s.deep));
  }
  bool named = true;
  const auto add_layers = [&](const char* arm, const std::string& what, const char* when) {
    const ex::Results tenths = results.where({{"part", of_layers}, {"arm", arm}});
    if (tenths.size() == static_cast<std::size_t>(tenths_of_depth)) {
      picture.panels.push_back(panels::layers(tenths, what, when, named));
      named = false;
    }
  };
  const std::string shape = kit::format(" (%dx%d)", explained_depth(s.moons), s.moons.widths.front());
  add_layers("relu", "Before training" + shape, "before");
  add_layers("relu", "After it, plain ReLU", "after");
  add_layers("balanced", "After it, Jumpstart", "after");
  if (!picture.panels.empty()) {
    kit::letter(picture);
    closing.draw(picture, "jumpstart", "Networks that are dead at birth, and with the penalty");
  }
  if (s.moons.widths.size() > 1 && !cells.empty()) {
    rg::report::Picture grid{.caption = "White: no network of this kind reaches 95 %, or it was not trained.",
                             .description = "Share of the seeds that reach 95 %, by width and depth.",
                             .columns = 3,
                             .width = 1000};
    for (const std::string& arm : s.moons.arms) {
      grid.panels.push_back(panels::grid(cells, s.moons, arm, grid.panels.empty()));
    }
    kit::letter(grid);
    closing.draw(grid, "grid", "Which shapes learn");
  }
}
