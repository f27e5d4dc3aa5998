#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <regimen/report.hpp>
#include <regimen/statistics.hpp>

#include "kit/closing.hpp"
#include "kit/pictures.hpp"
#include "table.hpp"

namespace panels {

using namespace rg::report;

inline Axis ratio_axis() {
  return {.label = "features / points",
          .scale = Scale::log,
          .ticks = {{0.2, "0.2"}, {0.5, "0.5"}, {1, "1"}, {2, "2"}, {5, "5"}, {10, "10"}, {30, "30"}}};
}
inline Axis advantage_axis() {
  return {.label = "advantage", .from = 0};
}

/// The exact law and the closed form as curves, and what was measured.
inline Panel law(const kit::Sweep& measured) {
  Lines exact{.name = "exact law", .style = {.colour = colour::black, .dash = Dash::solid}};
  Lines form{.name = "closed form (asymptotic)",
             .style = {.colour = colour::black, .dash = Dash::dashed, .width = 1.2}};
  for (double ratio = 0.2; ratio <= 30; ratio *= std::abs(std::log(ratio)) < 0.5 ? 1.03 : 1.1) {
    const rg::MembershipModel model{.n = training_points, .p = std::lround(training_points * ratio), .D = all_features};
    double of_exact = 0, of_form = 0;
    constexpr int points = 10;
    for (const rg::AttackedPoint& x : model.points(points, 1)) {
      of_exact += model.advantage(x, 300, 2) / points;
      of_form += model.asymptotic_advantage(x) / points;
    }
    exact.x.push_back(static_cast<double>(model.p) / training_points);
    exact.y.push_back(of_exact);
    form.x.push_back(exact.x.back());
    form.y.push_back(of_form);
  }
  Panel panel{.title = "Linear regression", .x = ratio_axis(), .y = advantage_axis(), .series = {form, exact}};
  panel.marks = {{1, "p = n"}};
  ErrorBars bars = measured.bars("measured", "measured", colour::vermillion, 100);
  bars.style.mark = Mark::disc;
  panel.series.emplace_back(std::move(bars));
  return panel;
}

inline Panel other_features(const Linear& linear) {
  Panel panel{.title = "Other features", .x = ratio_axis(), .y = advantage_axis()};
  const auto add = [&](const kit::Sweep& sweep, const char* name, const char* paint) {
    if (!sweep.empty()) {
      const ErrorBars bars = sweep.bars("measured", name, paint, 100);
      panel.series.insert(panel.series.end(), {kit::joined(bars), bars});
    }
  };
  add(linear.latent, "latent space", colour::blue);
  add(linear.relu, "ReLU features", colour::green);
  panel.marks = {{1, "p = n"}};
  return panel;
}

/// No ridge stands at a third of the least penalty, for a logarithmic axis has no 0.
inline Panel ridge(const std::vector<Ridge>& rows) {
  Panel panel{.title = "Ridge regression",
              .subtitle = "numbers: p / n",
              .x = {.label = "penalty nλ", .scale = Scale::log},
              .y = advantage_axis()};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const kit::Sweep& sweep = rows[i].penalties;
    int least = 0;
    for (const int penalty : sweep.settings()) {
      least = penalty > 0 && (least == 0 || penalty < least) ? penalty : least;
    }
    Lines line{.name = kit::format("ridge, p / n = %.1f", rows[i].ratio / 100.0), .style = style_of_series(i)};
    panel.x.ticks.clear();
    for (const int penalty : sweep.settings()) {
      const double at = penalty > 0 ? penalty : std::max(1, least) / 3.0;
      line.x.push_back(at);
      line.y.push_back(sweep.mean(penalty, "measured").mean);
      panel.x.ticks.push_back({at, std::to_string(penalty)});
    }
    panel.series.emplace_back(std::move(line));
  }
  return panel;
}

inline const char* paint_of(const Arm& arm, std::size_t i) {
  constexpr const char* bad[] = {colour::orange, colour::vermillion, colour::purple, colour::black};
  return arm.copies == 0 ? colour::blue : arm.regularized ? colour::green : bad[(i - 1) % 4];
}

/// One number of these attacks, for each arm.
inline Panel of_attacks(const std::vector<ArmResults>& arms, const std::vector<Attack>& all, const char* title,
                        const std::string& number, Axis y) {
  Panel panel{.title = title, .y = std::move(y)};
  panel.x = {.from = -0.6, .to = static_cast<double>(all.size()) - 0.4};
  for (std::size_t i = 0; i < all.size(); ++i) {
    panel.x.ticks.push_back({static_cast<double>(i), all[i].name});
  }
  for (std::size_t i = 0; i < arms.size(); ++i) {
    ErrorBars bars{.name = arms[i].arm.name(),
                   .style = {.colour = paint_of(arms[i].arm, i), .mark = style_of_series(i).mark}};
    for (std::size_t at = 0; at < all.size(); ++at) {
      bars.x.push_back(static_cast<double>(at) +
                       0.14 * (static_cast<double>(i) - (static_cast<double>(arms.size()) - 1) / 2));
      bars.y.emplace_back(arms[i].mean(all[at].key + number));
    }
    panel.series.emplace_back(std::move(bars));
  }
  return panel;
}

/// The curve of an attack with both rates on logarithmic axes, where low rates can be read (Carlini et al. 2022).
inline Panel curves(const std::vector<ArmResults>& arms, const Attack& attack) {
  constexpr double least = 3e-4;
  const Axis rate{.label = "false positive rate", .from = least, .to = 1, .scale = Scale::log};
  Panel panel{.title = attack.name + ": rates",
              .x = rate,
              .y = {.label = "true positive rate", .from = least, .to = 1, .scale = Scale::log}};
  panel.series.emplace_back(
      Lines{.x = {least, 1}, .y = {least, 1}, .style = {.colour = colour::grey, .dash = Dash::dotted, .width = 1}});
  for (std::size_t i = 0; i < arms.size(); ++i) {
    Lines line{.style = {.colour = paint_of(arms[i].arm, i), .dash = Dash::solid}};
    for (int point = 0; point < curve_points; ++point) {
      const double found = arms[i].mean(curve_point(attack.key, point)).mean;
      line.x.push_back(std::pow(10, -point / 4.0));
      line.y.push_back(found > 0 ? found : rg::unknown);
    }
    panel.series.emplace_back(std::move(line));
  }
  return panel;
}

}  // namespace panels

/// No picture without results.
inline void draw_linear(const Linear& linear, kit::Closing& closing) {
  rg::report::Picture picture{.caption =
                                  "Advantage TPR - FPR of the best attack on predictions. Means over the seeds "
                                  "with Student-t 95 % intervals.",
                              .description =
                                  "Advantage of membership inference on linear regression, by the number of "
                                  "features and by the ridge penalty.",
                              .width = 1000};
  if (!linear.law.empty()) {
    picture.panels.push_back(panels::law(linear.law));
  }
  if (!linear.latent.empty()) {
    picture.panels.push_back(panels::other_features(linear));
  }
  if (!linear.ridge.empty()) {
    picture.panels.push_back(panels::ridge(linear.ridge));
  }
  picture.columns = picture.panels.size();
  if (!picture.panels.empty()) {
    kit::letter(picture);
    closing.draw(picture, "linear", "Linear regression: what attacks find");
  }
}

inline void draw_networks(const std::vector<ArmResults>& arms, kit::Closing& closing) {
  const std::vector<Attack> all = attacks(), with_threshold(all.begin() + 1, all.end());
  rg::report::Picture picture{.caption =
                                  "Means over the seeds; intervals are Student-t 95 %. Good and bad ones fit "
                                  "every label.",
                              .description = "What attacks find in networks at good, bad and regularized minima.",
                              .columns = 3,
                              .width = 1000};
  picture.panels = {
      panels::of_attacks(arms, all, "Advantage", "_advantage", panels::advantage_axis()),
      panels::of_attacks(arms, with_threshold, "TPR at 1 % FPR", "_tpr_1", {.label = "true positive rate", .from = 0}),
      panels::curves(arms, {"lira", "LiRA"})};
  kit::letter(picture);
  closing.draw(picture, "networks", "Networks: what attacks find at good and bad minima");
}
