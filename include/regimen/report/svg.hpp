#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "regimen/report/detail/svg_legend.hpp"
#include "regimen/report/detail/svg_panel.hpp"
#include "regimen/report/detail/svg_shapes.hpp"
#include "regimen/report/picture.hpp"

namespace regimen::inline v0::detail::reports {

/// The layout of a picture's panels in a grid.
class Grid {
 public:
  explicit Grid(const report::Picture& picture)
      : picture_(picture), columns_(std::min(picture.columns, picture.panels.size())) {
    for (std::size_t i = 0; i < picture.panels.size(); ++i) {
      plans_.emplace_back(picture.panels[i], called(picture.panels[i], i));
    }
    place();
    place();  // again, for texts that are turned need room on the left
  }

  /// The left end of the first column's plots, in px.
  [[nodiscard]] double plot_left() const { return edge + left_.front(); }

  /// The SVG of all panels from `top` on, in px; sets `top` to their lower end.
  [[nodiscard]] std::string drawn(double& top, const Styles& styles) {
    std::string result;
    for (std::size_t first = 0; first < plans_.size(); first += columns_) {
      const std::size_t end = std::min(first + columns_, plans_.size());
      Heights row;
      for (std::size_t i = first; i < end; ++i) {
        row.make_room_for(plans_[i].heights());
      }
      for (std::size_t i = first; i < end; ++i) {
        result += plans_[i].drawn(top, row, styles);
      }
      top += row.all() + (end < plans_.size() ? row_gap : 0);
    }
    return result;
  }

  static constexpr double edge = 8;  ///< margin around the picture, in px

 private:
  static constexpr double row_gap = 16;
  static constexpr double column_gap = 18;  ///< half of a number on an axis may reach into it

  void place() {
    left_.assign(columns_, 0);
    for (std::size_t i = 0; i < plans_.size(); ++i) {
      left_[i % columns_] = std::max(left_[i % columns_], plans_[i].left());
    }
    double room = picture_.width - 2 * edge - column_gap * static_cast<double>(columns_);
    for (const double left : left_) {
      room -= left;
    }
    const double plot = room / static_cast<double>(columns_);
    require(plot >= 20, "Picture.width", "larger: the plots of " + text(columns_) + " columns have less than 20 px",
            picture_.width);
    for (std::size_t i = 0; i < plans_.size(); ++i) {
      double cell = edge;
      for (std::size_t column = 0; column < i % columns_; ++column) {
        cell += left_[column] + plot + column_gap;
      }
      const double left = left_[i % columns_];
      plans_[i].place(cell + left, plot, cell, left + plot + column_gap - 4);
    }
  }

  const report::Picture& picture_;
  std::size_t columns_;
  std::vector<PanelPlan> plans_{};
  std::vector<double> left_{};  ///< px left of the plots, by column
};

/// The elements for screen readers: title and description. `id`: what their ids begin with; "": they have none.
inline std::string spoken(const report::Picture& picture, const std::string& id) {
  const auto element = [&](const std::string& name, const std::string& text) {
    const std::string named = id.empty() ? "" : attribute("id", id + "-" + name);
    return text.empty() ? "" : "<" + name + named + ">" + xml_text(text) + "</" + name + ">\n";
  };
  return element("title", picture.title.empty() ? picture.panels.front().title : picture.title) +
         element("desc", picture.description.empty() ? picture.caption : picture.description);
}

/// What is drawn of a picture, and its height in px.
struct DrawnPicture {
  std::string shapes{};
  double height = 0;
};

inline DrawnPicture drawn(const report::Picture& picture) {
  Grid grid(picture);
  const Styles styles(picture);
  constexpr double edge = Grid::edge;
  double y = edge;
  std::string shapes;
  const auto add_lines = [&](const std::string& text, double size, bool is_bold) {
    const auto lines = broken(text, is_bold ? bold_width * size : size, picture.width - 2 * edge);
    shapes += lines_at(edge, y + size, lines, {.size = size, .bold = is_bold});
    y += static_cast<double>(lines.size()) * line_height(size);
  };
  if (!picture.title.empty()) {
    add_lines(picture.title, picture_title_size, true);
    y += 8;
  }
  shapes += grid.drawn(y, styles);
  if (picture.has_legend && !styles.named().empty()) {
    const Legend legend = legend_of(styles, grid.plot_left(), picture.width - edge, y + 8);
    shapes += legend.drawn;
    y += 8 + legend.height;
  }
  if (!picture.caption.empty()) {
    y += 8;
    add_lines(picture.caption, label_size, false);
  }
  return {shapes, std::ceil(y + edge)};
}

/// The element <svg> of a picture. `more`: further attributes.
inline std::string svg_element(const report::Picture& picture, const DrawnPicture& drawn, const std::string& spoken,
                               const std::string& more) {
  const std::string width = px(picture.width);
  const std::string height = px(drawn.height);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"" + width +
         "\" height=\"" + height + "\" viewBox=\"0 0 " + width + " " + height + "\" role=\"img\"" + more +
         " font-family=\"DejaVu Sans, Verdana, Helvetica, Arial, sans-serif\">\n" + spoken +
         "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n" + drawn.shapes + "</svg>\n";
}

}  // namespace regimen::inline v0::detail::reports

namespace regimen::inline v0::report {

/// The picture as the text of an SVG file, which needs no other file, and is readable on screens and on paper, in
/// colour and in grey. Equal pictures give equal bytes.
///
/// Throws Error if it cannot be drawn: no panel; an empty series, or one whose columns have different lengths; an axis
/// that ends before it begins; a number that is not above 0 on a logarithmic axis; a colour that is not "#rrggbb".
///     report::write_file("results/loss.svg", report::svg(picture));
[[nodiscard]] inline std::string svg(const Picture& picture) {
  detail::reports::check(picture);
  return detail::reports::svg_element(picture, detail::reports::drawn(picture), detail::reports::spoken(picture, ""),
                                      "");
}

}  // namespace regimen::inline v0::report
