#pragma once

#include <string>
#include <vector>

#include <regimen/experiment.hpp>
#include <regimen/report.hpp>

#include "kit/claims.hpp"
#include "kit/closing.hpp"
#include "pictures.hpp"
#include "table.hpp"

/// Writes tables and pictures, prints the tables, and says what came out. Returns the statements.
inline kit::Claims show_results(const ex::Results& results, const JumpstartSettings& s) {
  kit::Claims claims;
  kit::Closing closing(s.out, "Deep and thin networks that are dead at birth");
  const std::vector<CellResults> cells = finished_cells(results, s.moons);
  if (!cells.empty()) {
    closing.add(moons_table(cells), "moons");
    closing.add(units_table(cells, s.moons.widths.front()), "units");
    const Table beside = published_table(cells);
    if (!beside.rows().empty()) {
      closing.add(beside, "published");
    }
    for (const int width : s.moons.widths) {
      for (const int depth : s.moons.depths) {
        claim_shape(cells, width, depth, claims);
      }
    }
  }
  const std::vector<DeepResults> images = finished_images(results, s.deep);
  if (!images.empty()) {
    closing.add(images_table(images, s.deep), "images");
    claim_images(images, s.deep, claims);
  }
  draw(cells, results, images, s, closing);
  kit::claim_none_diverged(results.where({{"part", of_images}}), claims);  // table 1 counts seeds that diverge
  closing.show(claims);
  return claims;
}
