#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "regimen/report/detail/svg_shapes.hpp"
#include "regimen/report/picture.hpp"

/// Images in rows and columns.
namespace regimen::inline v0::detail::reports {

class TilesPlan {
 public:
  TilesPlan(const report::Tiles& tiles, double width) : tiles_(tiles) {
    double names = 0;
    std::size_t image_width = 1;
    for (const report::TileRow& row : tiles.rows) {
      names = std::max(names, names_width(row));
      columns_ = std::max(columns_, row.tiles.size());
      for (const report::Tile& tile : row.tiles) {
        image_width = std::max(image_width, tile.image.width);
        has_texts_ = has_texts_ || !tile.text.empty();
      }
    }
    names_ = names > 0 ? names + 14 : 0;
    gap_ = has_texts_ ? 14 : 6;
    const double gaps = static_cast<double>(gaps_before(columns_)) * group_gap;
    const double room = (width - names_ - gaps) / static_cast<double>(columns_) - gap_;
    // A pixel is a whole number of half px wide: then all have one size on most screens.
    const double half = static_cast<double>(image_width) / 2;
    side_ = std::clamp(room, 8.0, 96.0);
    side_ = side_ >= 2 * half ? std::floor(side_ / half) * half : side_;
    for (const report::TileGroup& group : tiles.groups) {
      head_ = group.name.empty() ? head_ : 20;
    }
    for (const report::TileRow& row : tiles.rows) {
      tops_.push_back(tops_.empty() ? head_ : tops_.back() + heights_.back());
      heights_.push_back(height_of(row));
    }
  }

  [[nodiscard]] double height() const { return tops_.back() + heights_.back(); }

  [[nodiscard]] std::string drawn(double left, double top) const {
    std::string result;
    for (const report::TileGroup& group : tiles_.groups) {
      result += text_at(left + x_of(group.column), top + head_ - 9, on_one_line(group.name), {.size = label_size});
    }
    for (std::size_t row = 0; row < tiles_.rows.size(); ++row) {
      result += drawn_row(tiles_.rows[row], left, top + tops_[row]);
    }
    return result;
  }

 private:
  static constexpr double group_gap = 18;
  static constexpr double code_size = 10.5;

  [[nodiscard]] double names_width(const report::TileRow& row) const {
    double width = 0;
    for (const std::string& each : broken_at_breaks(row.name)) {
      width = std::max(
          width, tiles_.code ? 0.61 * code_size * static_cast<double>(columns_of(each)) : text_width(each, label_size));
    }
    return width;
  }

  /// The lines of a name; spaces stay, since they indent code.
  static std::vector<std::string> broken_at_breaks(const std::string& name) {
    std::vector<std::string> lines{""};
    for (const char c : name) {
      if (c == '\n') {
        lines.emplace_back();
      } else {
        lines.back() += c;
      }
    }
    return lines;
  }

  [[nodiscard]] std::size_t gaps_before(std::size_t column) const {
    return static_cast<std::size_t>(
        std::count_if(tiles_.groups.begin(), tiles_.groups.end(),
                      [&](const report::TileGroup& group) { return group.column > 0 && group.column <= column; }));
  }

  [[nodiscard]] double x_of(std::size_t column) const {
    return names_ + static_cast<double>(column) * (side_ + gap_) + static_cast<double>(gaps_before(column)) * group_gap;
  }

  [[nodiscard]] double image_height(const report::Tile& tile) const {
    return side_ * static_cast<double>(tile.image.height) / static_cast<double>(tile.image.width);
  }

  [[nodiscard]] double tallest(const report::TileRow& row) const {
    double height = 0;
    for (const report::Tile& tile : row.tiles) {
      height = std::max(height, image_height(tile));
    }
    return height;
  }

  [[nodiscard]] std::vector<std::string> text_lines(const report::Tile& tile) const {
    return broken(tile.text, small_size * (tile.stands_out ? bold_width : 1), side_ + gap_ - 2);
  }

  [[nodiscard]] double height_of(const report::TileRow& row) const {
    std::size_t lines = has_texts_ ? 1 : 0;
    for (const report::Tile& tile : row.tiles) {
      lines = std::max(lines, has_texts_ ? text_lines(tile).size() : 0);
    }
    const double size = tiles_.code ? code_size : label_size;
    const double names = static_cast<double>(broken_at_breaks(row.name).size()) * line_height(size);
    const double images = tallest(row) + static_cast<double>(lines) * line_height(small_size);
    return std::max(images, names) + (has_texts_ ? 12 : 7);
  }

  [[nodiscard]] std::string drawn_row(const report::TileRow& row, double left, double top) const {
    const double size = tiles_.code ? code_size : label_size;
    const std::vector<std::string> name = broken_at_breaks(row.name);
    const double text_height = static_cast<double>(name.size() - 1) * line_height(size);
    const double middle = top + std::max(tallest(row) / 2, (text_height + size) / 2);
    std::string result =
        lines_at(left, middle - text_height / 2 + size * 0.36, name, {.size = size, .code = tiles_.code});
    for (std::size_t column = 0; column < row.tiles.size(); ++column) {
      const report::Tile& tile = row.tiles[column];
      const double x = left + x_of(column);
      result += image({x, top, side_, image_height(tile)}, tile.image);
      result += lines_at(x + side_ / 2, top + tallest(row) + small_size + 3, text_lines(tile),
                         {.anchor = "middle",
                          .colour = tile.stands_out ? report::colour::vermillion : text_colour,
                          .bold = tile.stands_out});
    }
    return result;
  }

  const report::Tiles& tiles_;
  std::size_t columns_ = 1;
  bool has_texts_ = false;
  double names_ = 0;  ///< width of the names, in px
  double gap_ = 0;    ///< between two tiles, in px
  double side_ = 0;   ///< width of a tile, in px
  double head_ = 0;   ///< height of the heads, in px
  std::vector<double> tops_{};
  std::vector<double> heights_{};
};

}  // namespace regimen::inline v0::detail::reports
