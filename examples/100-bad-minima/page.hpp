#pragma once
// No LibTorch.

#include <string>
#include <vector>

#include <regimen/report/html.hpp>
#include <regimen/report/measure_table.hpp>
#include <regimen/report/paired.hpp>

#include "kit/page.hpp"
#include "pictures.hpp"
#include "settings.hpp"
#include "table.hpp"

/// The test accuracies of both starts, seed by seed, of every set of which no arm diverged.
inline std::vector<regimen::report::Paired> paired_of(const Group& group) {
  std::vector<regimen::report::Paired> rows;
  for (const kit::Comparison& row : group.rows) {
    if (!row.diverged()) {
      rows.push_back({title_of(row.name), row.a.accuracy, row.b.accuracy});
    }
  }
  return rows;
}

/// What the measures say of a group's minima, and how far they agree with the test error.
inline regimen::report::Table measures_of(const Group& group) {
  std::vector<regimen::report::MeasureOfMinima> measures;
  for (const kit::Look& look : looks()) {
    measures.push_back({.name = look.title, .digits = look.digits});
  }
  std::vector<double> error;
  std::vector<std::string> arms;
  std::vector<std::string> seeds;
  for (const kit::Comparison& row : group.rows) {
    for (const bool adversarial : {false, true}) {
      for (const ex::Result& minimum : (adversarial ? row.b : row.a).results) {
        error.push_back(1 - minimum.test().accuracy);
        seeds.push_back(minimum.factor("seed"));
        arms.push_back(title_of(row.name) + (adversarial ? ", from random labels" : ", from random weights"));
        for (std::size_t i = 0; i < measures.size(); ++i) {
          measures[i].values.push_back(minimum.measure(looks()[i].measure));
        }
      }
    }
  }
  return regimen::report::measure_table(measures, error, arms, seeds).note("The clusters are the random seeds.");
}

/// All arms, a row each: what each cell says stands above it.
inline regimen::report::Table arms_of(const Group& group) {
  using regimen::report::Kind;
  regimen::report::Table table({{.name = "trained with"},
                                {.name = "start"},
                                {.name = "test accuracy (%)", .kind = Kind::interval},
                                {.name = "training labels fitted (%), least of the seeds", .kind = Kind::number},
                                {.name = "epochs, mean", .kind = Kind::number, .digits = 0}});
  for (const kit::Comparison& row : group.rows) {
    for (const bool adversarial : {false, true}) {
      const ex::OverSeeds& arm = adversarial ? row.b : row.a;
      table.add({title_of(row.name), adversarial ? "random labels" : "random weights", arm.accuracy_cell(),
                 100 * arm.least_fit, arm.epochs});
    }
  }
  return table.note("Means of the seeds with Student-t 95 % intervals.");
}

/// The sections of a group. `suffix`: behind the names of its pictures. `of`: behind its headings, if there are others.
inline void add_group(const Group& group, const std::string& suffix, const std::string& of, const Settings& settings,
                      kit::Page& page) {
  page.say(answer(group));
  page.say(
      "The random start is newly drawn weights. The adversarial start is weights that have fitted random labels of the "
      "training images before they are shown the true ones.");
  page.say("Network " + title_of(group, settings) + "." +
           (group.factors[0].second == "pooled" ? " \"pooled\" is a small residual network." : ""));
  const std::vector<regimen::report::Paired> rows = paired_of(group);
  const regimen::report::Picture holes = holes_picture(group);
  if (!holes.panels.empty()) {
    page.draw(holes, "holes" + suffix, "Test accuracy from both starts" + of);
  }
  if (group.says_lost && !rows.empty()) {
    regimen::report::HtmlSection& lost = page.section(
        "Test accuracy lost, seed by seed" + of,
        "Both starts of a seed have the same images and the same order of batches, so their difference is paired.");
    lost.pictures = {{.caption = "Test accuracy from random weights minus that from random labels.",
                      .panels = {regimen::report::paired_panel(rows, "test accuracy lost (points)")}}};
    lost.tables = {regimen::report::paired_table(rows, "random weights", "random labels", group.seeds)};
  }
  const regimen::report::Picture curves = curves_picture(group, settings);
  if (!curves.panels.empty()) {
    page.draw(curves, "curves" + suffix, "Accuracy over the epochs, first seed" + of);
  }
  page.section("Measures that need no test set" + of,
               "Start left: cosine of the weights at the end and at the start. Log norms: log of the product of the "
               "layers' squared Frobenius norms. Adaptive sharpness: the loss gained under noise of a tenth of each "
               "weight.")
      .tables = {measures_of(group)};
  page.add(arms_of(group), "All arms" + of);
}

/// Draws all pictures, and writes report.html.
inline void show_page(const std::vector<Group>& groups, const Settings& settings) {
  kit::Page page(settings.out, "Bad global minima exist, and SGD can reach them");
  for (const Group& group : groups) {
    const std::string copies = std::to_string(group.copies);
    const std::string& model = group.factors[0].second;
    const bool alone = groups.size() == 1;
    add_group(group, alone ? "" : "-" + model + "-R" + copies, alone ? "" : ": " + model + ", R = " + copies, settings,
              page);
  }
  page.show_file("confusion-set", "The random labels",
                 "Training images with their labels, and below them copies of which some pixels are zero, with random "
                 "labels.");
  page.write();
}
