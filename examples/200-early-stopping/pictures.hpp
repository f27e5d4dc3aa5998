#pragma once

#include <functional>
#include <string>
#include <vector>

#include <regimen/report.hpp>

#include "images.hpp"
#include "kit/closing.hpp"
#include "kit/pictures.hpp"
#include "table.hpp"

using Number = std::function<double(const rg::Epoch&)>;

/// A curve over the scored steps of one training.
inline rg::report::Lines curve(const std::string& name, const std::vector<rg::Epoch>& epochs, const Number& number) {
  rg::report::Lines lines{.name = name};
  for (const rg::Epoch& epoch : epochs) {
    lines.x.push_back(static_cast<double>(epoch.clock.step));
    lines.y.push_back(number(epoch));
  }
  return lines;
}

inline Number number_of(const std::string& measure, double unit = 1) {
  return [measure, unit](const rg::Epoch& epoch) { return unit * rg::value_of(epoch, measure); };
}

/// The first seed on clusters: when wrong labels are learned, how far away, and why.
inline void draw_clusters(const std::vector<ClusterCell>& cells, kit::Closing& closing) {
  using namespace rg::report;
  Picture picture{.caption =
                      "One seed, 10 clusters. Shaded: every point is predicted by its true label. I₀: the theorem's "
                      "number of steps.",
                  .description = "Wrongly labelled points, distance from the start and singular values, on clusters.",
                  .columns = 3,
                  .width = 1000};
  const Axis steps{.label = "step", .scale = Scale::log};
  Panel labels{.title = "wrongly labelled points", .x = steps, .y = {.label = "predicted (%)", .from = 0, .to = 100}};
  Panel distance{.title = "distance from the start", .x = steps, .y = {.label = "l2 distance", .scale = Scale::log}};
  Panel values{
      .title = "Jacobian's singular values", .x = {.label = "number"}, .y = {.label = "value", .scale = Scale::log}};
  for (const auto& [arm, runs] : cells) {
    const ClusterRun& run = runs.front();
    if (arm.noise != cells.front().arm.noise || arm.activation != cells.front().arm.activation) {
      continue;
    }
    const std::string name = kit::format("radius %.1f", arm.radius / 100.0);
    distance.series.emplace_back(curve(name, run.scored, number_of("distance")));
    Points spectrum{.name = name};
    for (const auto& [measure, value] : run.start->history.back().measures) {
      if (measure.rfind("value_", 0) == 0) {
        spectrum.x.push_back(std::stod(measure.substr(6)));
        spectrum.y.push_back(value);
      }
    }
    values.series.emplace_back(std::move(spectrum));
    if (arm.radius == 20 || labels.series.empty()) {
      labels.subtitle = kit::format("radius %.1f, %d %% of the labels", arm.radius / 100.0, arm.noise);
      labels.series = {curve("by the true label", run.scored, number_of("recovered", 100)),
                       curve("by the wrong label they have", run.scored, number_of("memorized", 100))};
      labels.stretches.clear();
      if (run.all_true(true) > run.all_true(false)) {
        labels.stretches = {{.from = run.all_true(false), .to = run.all_true(true)}};
      }
      labels.marks = {{run.start->measure("i_0"), "I₀"}};
    }
  }
  picture.panels = {labels, distance, values};
  closing.draw(picture, "clusters", "On clusters: when wrong labels are learned");
}

/// Means over the seeds on images: test accuracy with each rule's stop, recovered and memorized labels, distance.
inline void draw_images(const std::vector<ImageCell>& cells, kit::Closing& closing) {
  using namespace rg::report;
  const Axis epochs{.label = "epoch", .from = 0};
  Panel test{.title = "test accuracy", .subtitle = "and where rules stop", .x = epochs, .y = {.label = "accuracy (%)"}};
  Panel labels{.title = "wrongly labelled images",
               .subtitle = "thick: true label; thin: the wrong one",
               .x = epochs,
               .y = {.label = "predicted (%)", .from = 0, .to = 100}};
  Panel distance{.title = "distance from the start", .x = epochs, .y = {.label = "l2 distance", .from = 0}};
  const std::vector<Mark> marks{Mark::disc, Mark::open_square, Mark::triangle};
  std::vector<Points> stops;
  for (const Rule& rule : rules_for(0.5, 0)) {
    stops.push_back({.name = rule.name, .style = {.colour = colour::black, .mark = marks[stops.size()], .size = 4.5}});
  }
  for (const ImageCell& cell : cells) {
    const auto mean_curve = [&](const std::string& name, const Number& number) {
      Lines lines{.name = name, .style = style_of_series(test.series.size())};
      lines.style.mark = Mark::none;
      for (std::size_t i = 0; i < cell.runs.front().size(); ++i) {
        lines.x.push_back(static_cast<double>(i + 1));
        lines.y.push_back(kit::mean_of(cell.runs, [&](const auto& run) { return number(run.epochs.at(i)); }).mean);
      }
      return lines;
    };
    const std::string name = kit::format("%d %% random labels", cell.wrong);
    const Number accuracy = [](const rg::Epoch& epoch) { return 100 * epoch.test.accuracy; };
    if (cell.wrong > 0) {
      labels.series.emplace_back(mean_curve(name, number_of("recovered", 100)));
      Lines memorized = mean_curve("", number_of("memorized", 100));
      memorized.style.width = 1;
      labels.series.emplace_back(std::move(memorized));
    }
    distance.series.emplace_back(mean_curve(name, number_of("distance")));
    test.series.emplace_back(mean_curve(name, accuracy));
    const std::vector<Rule> rules = rules_for(cell.share(), 0);
    for (std::size_t i = 0; i < rules.size(); ++i) {
      Stops all;
      for (const rg::History& run : cell.runs) {
        all.add(rules[i], run);
      }
      if (!all.at.empty()) {
        stops[i].x.push_back(kit::mean_of(all.at, [](const auto& epoch) { return epoch.clock.epoch; }).mean);
        stops[i].y.push_back(kit::mean_of(all.at, accuracy).mean);
      }
    }
  }
  for (Points& each : stops) {
    if (!each.x.empty()) {
      test.series.emplace_back(std::move(each));
    }
  }
  closing.draw({.caption = "Means over the seeds, of epochs and of the rules' stops.",
                .description = "Test accuracy, predictions of wrongly labelled images and distance, by epoch.",
                .panels = {test, labels, distance},
                .columns = 3,
                .width = 1000},
               "images", "On images: where rules stop");
}

/// What came out on clusters, in a sentence: of the cell that the others vary.
inline std::string sentence_of(const std::vector<ClusterCell>& cells) {
  const auto base = std::find_if(cells.begin(), cells.end(), [](const auto& cell) { return cell.arm.radius == 20; });
  const auto& [arm, runs] = base == cells.end() ? cells.front() : *base;
  const auto truly =
      std::count_if(runs.begin(), runs.end(), [](const auto& run) { return ClusterRun::is_all_true(run.at_theory()); });
  const auto fitted = kit::values_of(runs, [](const auto& run) { return run.distance_to_fit() / run.distance(); });
  return kit::format(
             "\nWith %d %% of the labels wrong, gradient descent predicts every point by its true label after the "
             "theorem's %.0f steps in %td of %zu runs.",
             arm.noise, kit::mean_of(runs, [](const auto& run) { return run.start->measure("i_0"); }).mean, truly,
             runs.size()) +
         (fitted.empty()
              ? "\n"
              : kit::format(" It fits the wrong labels after %.0f steps, %.0f times as far from the start.\n",
                            kit::mean_of(runs, [](const auto& run) { return run.steps_to_fit(); }).mean,
                            rg::mean_interval(fitted).mean));
}

/// What came out on the images with the most wrong labels, in a sentence.
inline std::string sentence_of(const std::vector<ImageCell>& cells) {
  const auto& [wrong, runs] = cells.back();
  Stops wave;
  for (const rg::History& run : runs) {
    wave.add(rules_for(0.5, 0)[1], run);
  }
  return kit::format("\nOn images with %d %% random labels the best epoch has %.1f %% test accuracy, the last one %.1f",
                     wrong,
                     kit::mean_of(runs, [](const auto& run) { return 100 * ImageCell::best(run).test.accuracy; }).mean,
                     kit::mean_of(runs, [](const auto& run) { return 100 * run.back().test.accuracy; }).mean) +
         (wave.at.empty()
              ? ".\n"
              : kit::format(", and that where Label Wave stops %.1f.\n",
                            kit::mean_of(wave.at, [](const auto& epoch) { return 100 * epoch.test.accuracy; }).mean));
}

/// Writes tables and pictures, prints the tables, and says what came out. Returns the paper's statements.
inline kit::Claims show_results(const ex::Results& results, const EarlySettings& s) {
  kit::Claims claims;
  std::string said;
  kit::Closing closing(s.out, "Early stopping and wrong labels");
  if (const std::vector<ClusterCell> cells = finished_cells(results, s); !cells.empty()) {
    claim_clusters(cells, claims);
    closing.add(clusters_table(cells), "clusters", "On clusters");
    closing.add(rules_table(cells, s, claims), "rules", "On clusters: where rules stop, in numbers");
    closing.add(jacobian_table(cells), "jacobian", "On clusters: the Jacobian at the start");
    draw_clusters(cells, closing);
    said += sentence_of(cells);
  }
  if (const std::vector<ImageCell> cells = finished_images(results, s); !cells.empty()) {
    closing.add(images_table(cells, claims), "images", "On images");
    closing.add(image_rules_table(cells, claims), "image-rules", "On images: where rules stop, in numbers");
    draw_images(cells, closing);
    said += sentence_of(cells);
  }
  kit::claim_none_diverged(results, claims, ", and are left out of all tables");
  closing.show(claims, said, "results.csv, epochs.csv, manifest.json");
  return claims;
}
