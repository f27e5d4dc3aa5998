#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "picture_script.hpp"
#include "pictures.hpp"

namespace {

/// Where tiles lie on a canvas of image pixels, x to the right and y down.
struct Layout {
  explicit Layout(const std::vector<Tile>& tiles) : tile(tiles.front()), zoom(std::max(1, tile_pixels / tile.width)) {
    for (const Tile& each : tiles) {
      rows = std::max(rows, each.row + 1);
      columns = std::max(columns, each.column + 1);
    }
    step_x = tile.width + rounded_up(gap_pixels);
    step_y = tile.height + rounded_up(text_pixels);
    left = rounded_up(names_pixels);
  }

  [[nodiscard]] int rounded_up(int pixels) const { return (pixels + zoom - 1) / zoom; }
  [[nodiscard]] int width() const { return columns * step_x; }
  [[nodiscard]] int height() const { return rows * step_y; }

  // Of the picture's pixels: a tile's width, between two, the label's below, and the rows' names'.
  static constexpr int tile_pixels = 154;
  static constexpr int gap_pixels = 48;
  static constexpr int text_pixels = 64;
  static constexpr int names_pixels = 350;

  const Tile& tile;
  int zoom;  ///< the picture's pixels for one of the image's
  int rows = 0;
  int columns = 0;
  int step_x = 0;
  int step_y = 0;
  int left = 0;  ///< of the first tile
};

/// gnuplot draws an image from a complete grid only, so the tiles are put on a white canvas first.
void write_canvas(std::ostream& out, const std::vector<Tile>& tiles, const Layout& layout) {
  const int width = layout.width();
  const int height = layout.height();
  std::vector<std::array<std::uint8_t, 3>> canvas(static_cast<std::size_t>(width * height), {255, 255, 255});
  for (const Tile& tile : tiles) {
    for (int y = 0; y < tile.height; ++y) {
      for (int x = 0; x < tile.width; ++x) {
        canvas[static_cast<std::size_t>((tile.row * layout.step_y + y) * width + tile.column * layout.step_x + x)] =
            tile.pixels[static_cast<std::size_t>(y * tile.width + x)];
      }
    }
  }
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto& [r, g, b] = canvas[static_cast<std::size_t>(y * width + x)];
      out << x << " " << -y << " " << int{r} << " " << int{g} << " " << int{b} << "\n";
    }
  }
}

}  // namespace

void draw_tiles(const std::vector<Tile>& tiles, const Settings& settings) {
  const Layout layout(tiles);
  Script script(settings.out + "/pictures", "confusion-set", (layout.left + layout.width()) * layout.zoom,
                (layout.height() + 1) * layout.zoom);
  {
    std::ofstream data = script.data("pixels");
    write_canvas(data, tiles, layout);
  }
  const auto name_row = [&](int row, const std::string& name) {
    script() << "set label \"" << name << "\" at " << -layout.left + 0.5 << ","
             << -(row * layout.step_y + layout.tile.height / 4.0) << "\n";
  };
  script() << "unset border\nunset tics\nunset key\nunset grid\nset margins 0,0,0,0\n"
           << "set xrange [" << -layout.left << ":" << layout.width() << "]\nset yrange [" << -layout.height()
           << ":1]\n";
  name_row(0, "training images,\\ntheir true labels");
  name_row(1, "confusion set:\\npixels zeroed,\\nrandom labels");
  for (const Tile& tile : tiles) {
    // Wrong labels are bold and not only of another colour.
    script() << "set label '" << (tile.wrong ? "{/:Bold " + tile.label + "}" : tile.label) << "' at "
             << tile.column * layout.step_x + tile.width / 2.0 - 0.5 << ","
             << -(tile.row * layout.step_y + tile.height) - layout.rounded_up(Layout::text_pixels) / 3.0
             << " center front textcolor '" << (tile.wrong ? red : black) << "'\n";
  }
  script() << "plot " << script.file("pixels") << " using 1:2:3:4:5 with rgbimage\n";
}

void draw_boundaries(const ToyPicture& picture, const Settings& settings) {
  const auto panels = static_cast<int>(picture.boundaries.size());
  Script script(settings.out + "/pictures", "boundaries", Script::page_width, 2000 / panels + 130);
  {
    std::ofstream points = script.data("points");
    for (const auto& [x, y, label] : picture.points) {
      points << x << " " << y << " " << label << "\n";
    }
    for (int panel = 0; panel < panels; ++panel) {
      std::ofstream data = script.data(std::to_string(panel));
      for (int row = 0; row < picture.rows; ++row) {
        for (int column = 0; column < picture.columns; ++column) {
          const double x = picture.left + (picture.right - picture.left) * (column + 0.5) / picture.columns;
          const double y = picture.bottom + (picture.top - picture.bottom) * (row + 0.5) / picture.rows;
          const double logit = picture.boundaries[static_cast<std::size_t>(panel)]
                                   .logits[static_cast<std::size_t>(row * picture.columns + column)];
          data << x << " " << y << " " << (logit > 0 ? 1 : 0) << "\n";
        }
        data << "\n";
      }
    }
  }
  script() << "set multiplot layout 1," << panels << " margins 0.065,0.99,0.2,0.9 spacing 0.015,0\n"
           << "set xrange [" << picture.left << ":" << picture.right << "]\nset yrange [" << picture.bottom << ":"
           << picture.top << "]\nunset key\nunset colorbox\nunset grid\nset xtics 0.5\nset ytics 0.5\n"
           << "set palette defined (0 '#f1f6fb', 1 '#efc9a2')\nset cbrange [0:1]\n";
  for (int panel = 0; panel < panels; ++panel) {
    script() << "set title '" << picture.boundaries[static_cast<std::size_t>(panel)].title << "'\n"
             << (panel > 0 ? "set format y ''\nunset ylabel\n" : "set xlabel 'x_1'\nset ylabel 'x_2' offset 1,0\n")
             << "plot " << script.file(std::to_string(panel)) << " using 1:2:3 with image, " << script.file("points")
             << " using ($3<0.5?$1:NaN):2 with points pointtype 7 pointsize 0.9 linecolor '" << blue << "', "
             << script.file("points") << " using ($3>0.5?$1:NaN):2 with points pointtype 5 pointsize 0.9 linecolor '"
             << red << "'\n";
  }
  script() << "unset multiplot\n";
}
