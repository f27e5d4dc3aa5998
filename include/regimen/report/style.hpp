#pragma once
// No LibTorch.

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "regimen/base/error.hpp"

namespace regimen::inline v0::report {

/// Colours that are distinct for colour-blind readers (Okabe and Ito 2008), without its yellow, which is too light for
/// a line on white. In grey some of them look alike, so series also differ in dashes and marks.
namespace colour {
inline constexpr const char* black = "#222222";
inline constexpr const char* blue = "#0072b2";
inline constexpr const char* vermillion = "#d55e00";
inline constexpr const char* green = "#009e73";
inline constexpr const char* purple = "#cc79a7";
inline constexpr const char* orange = "#e69f00";
inline constexpr const char* sky = "#56b4e9";
inline constexpr const char* grey = "#999999";
inline constexpr const char* light_grey = "#eeeeee";
}  // namespace colour

enum class Dash { solid, dashed, dotted, dash_dot, long_dashed };

/// The shape of a point. Shapes without "open" are filled.
enum class Mark { none, disc, open_square, triangle, open_disc, square, open_triangle, diamond, cross };

/// The look of a series. Empty fields are chosen: series of one name look alike in all panels of a picture, series of
/// different names differ in colour, and in dashes or marks.
struct Style {
  std::string colour{};          ///< "#rrggbb", or "": the next of the palette
  std::optional<Dash> dash{};    ///< pattern of lines
  std::optional<Mark> mark{};    ///< shape of points; empty for `Lines`: none
  double width = 1.8;            ///< width of lines, in px, above 0
  double size = 3.5;             ///< radius of a mark, in px, above 0
  std::optional<double> fill{};  ///< opacity of bands and bars, in [0, 1]
};

/// The colour, dash and mark of series `i`, from 0; colours repeat after 7, dashes after 5, marks after 8.
[[nodiscard]] inline Style style_of_series(std::size_t i) {
  constexpr std::array colours{colour::blue,   colour::vermillion, colour::green, colour::black,
                               colour::purple, colour::orange,     colour::sky};
  constexpr std::array dashes{Dash::solid, Dash::dashed, Dash::dotted, Dash::dash_dot, Dash::long_dashed};
  constexpr std::array marks{Mark::disc,   Mark::open_square,   Mark::triangle, Mark::open_disc,
                             Mark::square, Mark::open_triangle, Mark::diamond,  Mark::cross};
  return {.colour = colours[i % colours.size()], .dash = dashes[i % dashes.size()], .mark = marks[i % marks.size()]};
}

}  // namespace regimen::inline v0::report

namespace regimen::inline v0::detail::reports {

/// Throws Error unless the text is "#rrggbb".
inline void require_colour(const std::string& field, std::string_view colour) {
  const bool holds =
      colour.size() == 7 && colour[0] == '#' && colour.find_first_not_of("0123456789abcdefABCDEF", 1) == colour.npos;
  require(holds, field, "\"#rrggbb\" in hexadecimal digits", colour);
}

inline void check(const std::string& where, const report::Style& style) {
  if (!style.colour.empty()) {
    require_colour(where + ".style.colour", style.colour);
  }
  require(style.width > 0, where + ".style.width", "above 0", style.width);
  require(style.size > 0, where + ".style.size", "above 0", style.size);
  require(!style.fill || (*style.fill >= 0 && *style.fill <= 1), where + ".style.fill", "in [0, 1]",
          style.fill.value_or(0));
}

}  // namespace regimen::inline v0::detail::reports
