#pragma once
// No LibTorch.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/report/picture.hpp"

namespace regimen::inline v0::report {

/// A panel of images in their order, `columns` in a row, each with its text below: the most forgotten samples, say.
/// Throws Error if there is no tile, or if `columns` is 0.
///     report::Panel strip = report::image_strip(tiles, "most forgotten");
[[nodiscard]] inline Panel image_strip(std::vector<Tile> tiles, const std::string& title, std::size_t columns = 10) {
  detail::require(!tiles.empty(), "image_strip: tiles.size()", "at least 1", tiles.size());
  detail::require(columns >= 1, "image_strip: columns", "at least 1", columns);
  Panel panel{.title = title};
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    if (i % columns == 0) {
      panel.tiles.rows.emplace_back();
    }
    panel.tiles.rows.back().tiles.push_back(std::move(tiles[i]));
  }
  return panel;
}

}  // namespace regimen::inline v0::report
