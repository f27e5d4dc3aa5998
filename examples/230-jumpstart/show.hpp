#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <regimen/experiment.hpp>
#include <regimen/report.hpp>

#include "kit/claims.hpp"
#include "kit/pictures.hpp"
#include "pictures.hpp"
#include "table.hpp"

/// Writes tables and pictures, prints the tables, and says what came out. Returns the statements.
inline kit::Claims show_results(const ex::Results& results, const JumpstartSettings& s) {
  kit::Claims claims;
  std::string text;
  const auto add = [&](const Table& table, const std::string& name) {
    text += "\n" + rg::report::terminal(table, {.width = 150});
    ex::write_file(s.out + "/" + name + ".csv", rg::report::csv(table));
  };
  const std::vector<CellResults> cells = finished_cells(results, s.moons);
  if (!cells.empty()) {
    add(moons_table(cells), "moons");
    add(units_table(cells, s.moons.widths.front()), "units");
    const Table beside = published_table(cells);
    if (!beside.rows().empty()) {
      add(beside, "published");
    }
    for (const int width : s.moons.widths) {
      for (const int depth : s.moons.depths) {
        claim_shape(cells, width, depth, claims);
      }
    }
  }
  const std::vector<DeepResults> images = finished_images(results, s.deep);
  if (!images.empty()) {
    add(images_table(images, s.deep), "images");
    claim_images(images, s.deep, claims);
  }
  draw(cells, results, images, s);
  const ex::Results of_images_alone = results.where({{"part", of_images}});  // table 1 counts seeds that diverge
  const auto diverged = std::count_if(of_images_alone.begin(), of_images_alone.end(),
                                      [](const auto& result) { return result.diverged(); });
  if (diverged > 0) {
    claims.add(false, kit::format("%td trainings diverged", diverged));
  }
  kit::show_text(text + "\nDoes it come out?\n" + claims.text(), s.out, "results.csv");
  return claims;
}
