#pragma once
// No LibTorch.

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "regimen/report/detail/svg_series.hpp"
#include "regimen/report/picture.hpp"

/// The styles of a picture's series, and its legend.
namespace regimen::inline v0::detail::reports {

inline const std::string& name_of(const report::Series& series) {
  return std::visit([](const auto& each) -> const std::string& { return each.name; }, series);
}

/// The style of every series: its own fields, and the empty ones by its name's index among the names of series without
/// a colour.
class Styles {
 public:
  explicit Styles(const report::Picture& picture) {
    for (const report::Panel& panel : picture.panels) {
      for (const report::Series& series : panel.series) {
        const auto same = [&](const report::Series* other) { return name_of(*other) == name_of(series); };
        if (!name_of(series).empty() && std::none_of(named_.begin(), named_.end(), same)) {
          named_.push_back(&series);
          // A series with its own colour leaves the palette to the others.
          places_.push_back(has_colour(series) ? named_.size() - 1 : chosen_++);
        }
      }
    }
  }

  /// The first series of each name.
  [[nodiscard]] const std::vector<const report::Series*>& named() const { return named_; }

  /// The style of a panel's series `i`. Series without a name come after all names.
  [[nodiscard]] report::Style of(const report::Panel& panel, std::size_t i) const {
    std::size_t nameless = 0;
    for (std::size_t k = 0; k < i; ++k) {
      nameless +=
          name_of(panel.series[k]).empty() && !std::holds_alternative<report::HeatGrid>(panel.series[k]) ? 1U : 0U;
    }
    return of(panel.series[i], nameless);
  }

  [[nodiscard]] report::Style of(const report::Series& series, std::size_t nameless = 0) const {
    const auto found = std::find_if(named_.begin(), named_.end(),
                                    [&](const report::Series* other) { return name_of(*other) == name_of(series); });
    const auto place = static_cast<std::size_t>(found - named_.begin());
    const report::Style chosen = report::style_of_series(found == named_.end() ? chosen_ + nameless : places_[place]);
    return std::visit(
        [&](const auto& each) {
          report::Style style = chosen;
          if constexpr (requires { each.style; }) {
            style = each.style;
            style.colour = style.colour.empty() ? chosen.colour : style.colour;
            style.dash = style.dash ? style.dash : chosen.dash;
            style.mark = style.mark || std::holds_alternative<report::Lines>(series) ? style.mark : chosen.mark;
          }
          return style;
        },
        series);
  }

 private:
  static bool has_colour(const report::Series& series) {
    return std::visit(
        [](const auto& each) {
          if constexpr (requires { each.style; }) {
            return !each.style.colour.empty();
          } else {
            return true;
          }
        },
        series);
  }

  std::vector<const report::Series*> named_{};
  std::vector<std::size_t> places_{};  ///< index in the palette of each of `named_`
  std::size_t chosen_ = 0;             ///< number of `named_` with a colour of the palette
};

inline constexpr double sample_width = 30;
inline constexpr double legend_line = 18;
inline constexpr double least_left = 8;  ///< of the legend, in px

/// A number with three digits: "0.25", "-3", "1.2e-05".
inline std::string three_digits(double value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, 3).ptr};
}

/// The legend's text of a series: its name; for a heat grid also its range: "loss, 0.1 to 2.3".
inline std::string legend_text(const report::Series& series) {
  const auto* const grid = std::get_if<report::HeatGrid>(&series);
  if (grid == nullptr) {
    return on_one_line(name_of(series));
  }
  const Range range = heat_of(*grid);
  return on_one_line(grid->name) + ", " + three_digits(range.from) + " to " + three_digits(range.to);
}

/// The colour scale of a heat grid, from left to right.
inline report::Pixels scale_of(const report::HeatGrid& grid) {
  constexpr std::size_t steps = 44;
  report::Pixels pixels{.height = 1, .width = steps};
  for (std::size_t i = 0; i < steps; ++i) {
    pixels.colours.push_back(colour_at(grid.colours, static_cast<double>(i) / static_cast<double>(steps - 1)));
  }
  return pixels;
}

/// The sample of a series in the legend, around `middle`.
inline std::string sample(const report::Series& series, Point middle, const report::Style& style) {
  const double half = sample_width / 2;
  const Box swatch{middle.x - half + 4, middle.y - 5, sample_width - 8, 10};
  if (std::holds_alternative<report::Lines>(series)) {
    return polyline({{middle.x - half, middle.y}, {middle.x + half, middle.y}}, style) + mark_at(middle, style);
  }
  if (std::holds_alternative<report::Band>(series)) {
    return rectangle(swatch, style.colour, style.fill.value_or(0.2));
  }
  if (const auto* const grid = std::get_if<report::HeatGrid>(&series)) {
    return image(swatch, scale_of(*grid));
  }
  if (std::holds_alternative<report::Bars>(series)) {
    return rectangle(swatch, style.colour, style.fill.value_or(0.35), style.colour);
  }
  const bool has_whisker = std::holds_alternative<report::ErrorBars>(series);
  return (has_whisker ? whisker(middle.x, middle.y - 7, middle.y + 7, style.colour, style.width) : "") +
         mark_at(middle, style);
}

/// The names of all series in lines, wrapped to fit, as SVG, and their height in px.
struct Legend {
  std::string drawn{};
  double height = 0;
};

inline Legend legend_of(const Styles& styles, double left, double right, double top) {
  Legend legend;
  for (const report::Series* const series : styles.named()) {
    // Below a plot with long texts on its left an entry may need the room under them.
    left = std::clamp(right - sample_width - 6 - text_width(legend_text(*series), label_size), least_left, left);
  }
  double x = left;
  double y = top + legend_line / 2;
  for (const report::Series* const series : styles.named()) {
    const double width = sample_width + 6 + text_width(legend_text(*series), label_size);
    if (x > left && x + width > right) {
      x = left;
      y += legend_line;
    }
    legend.drawn += sample(*series, {x + sample_width / 2, y}, styles.of(*series));
    legend.drawn += text_at(x + sample_width + 6, y + 4, legend_text(*series), {.size = label_size});
    legend.height = y + legend_line / 2 - top;
    x += width + 20;
  }
  return legend;
}

}  // namespace regimen::inline v0::detail::reports
