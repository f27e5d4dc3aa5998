#pragma once
// No LibTorch.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "regimen/report/detail/contrast.hpp"
#include "regimen/report/detail/svg_series.hpp"
#include "regimen/report/detail/svg_shapes.hpp"
#include "regimen/report/pixels.hpp"

/// The colours of pictures within a page: rules of CSS that win over those that the pictures' shapes name.
namespace regimen::inline v0::detail::reports {

/// What a colour of a picture is for.
enum class ColourRole {
  text,    ///< letters: a contrast of 4.5
  line,    ///< lines and marks: a contrast of 3, on a dark page of 4.5
  ground,  ///< what lies below all of them: no contrast, but dark on a dark page
};

/// The colours of a page.
struct Theme {
  bool is_dark = false;
  report::Rgb ground{255, 255, 255};
  report::Rgb text{0x22, 0x22, 0x22};
  report::Rgb soft{0x55, 0x55, 0x55};  ///< text that matters less
  report::Rgb rule{0xdd, 0xdd, 0xdd};  ///< lines between things
  report::Rgb link{0x00, 0x5a, 0x8c};
  report::Rgb shade{0xf4, 0xf4, 0xf4};  ///< heads of tables, code
};

inline constexpr Theme light_theme{};
inline constexpr Theme dark_theme{.is_dark = true,
                                  .ground = {0x17, 0x19, 0x1c},
                                  .text = {0xe6, 0xe6, 0xe6},
                                  .soft = {0xb0, 0xb0, 0xb0},
                                  .rule = {0x3c, 0x3f, 0x44},
                                  .link = {0x7f, 0xc4, 0xf0},
                                  .shade = {0x22, 0x25, 0x29}};

/// Whether a colour has no hue: red, green and blue are about the same.
inline bool is_grey(const report::Rgb& colour) {
  const auto [low, high] = std::minmax_element(colour.begin(), colour.end());
  return *high - *low <= 16;
}

/// The ground of a shaded stretch on this page: of all grounds that lines cross, the one with the least contrast.
inline report::Rgb stretch_on(const Theme& theme);

/// A colour of a picture on a page. Pictures are made for white paper: on a dark page greys change places from black to
/// white, and grounds keep a tenth of their hue.
inline report::Rgb colour_on(const Theme& theme, const report::Rgb& colour, ColourRole role) {
  report::Rgb result = colour;
  if (theme.is_dark && is_grey(colour)) {
    // 0x22, the darkest of the pictures, becomes the page's text, and white its ground.
    const int share = std::clamp((colour[1] - 0x22) * 64 / (0xff - 0x22), 0, 64);
    result = mixed(theme.text, theme.ground, share);
  } else if (theme.is_dark && role == ColourRole::ground) {
    result = mixed(theme.ground, colour, 6);
  }
  if (role == ColourRole::ground || colour == report::Rgb{255, 255, 255} || colour == rgb_of("#dddddd")) {
    return result;
  }
  // Thin lines look dimmer on a dark page than their contrast says.
  return with_contrast(result, stretch_on(theme), role == ColourRole::text || theme.is_dark ? 4.5 : 3);
}

inline report::Rgb stretch_on(const Theme& theme) {
  return colour_on(theme, rgb_of(report::colour::light_grey), ColourRole::ground);
}

using ColourUse = std::pair<ColourRole, std::string>;

/// Whether a text begins with "#" and six hexadecimal digits in front of a quotation mark.
inline bool begins_with_colour(std::string_view text) {
  return text.size() > 7 && text[0] == '#' && text[7] == '"' &&
         text.substr(1, 6).find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

/// The colours that shapes of one picture name, with what each is for. Images have colours of their own.
inline void collect_shape_colours(std::string_view svg, std::set<ColourUse>& found) {
  for (std::size_t at = svg.find("=\"#"); at != std::string_view::npos; at = svg.find("=\"#", at + 1)) {
    const std::size_t open = svg.rfind('<', at);
    const std::string_view element = svg.substr(open, svg.find('>', at) - open);
    const bool is_fill = svg.substr(0, at).ends_with(" fill");
    const bool is_colour = is_fill || svg.substr(0, at).ends_with(" stroke");
    if (!is_colour || !begins_with_colour(svg.substr(at + 2)) || element.starts_with("<path")) {
      continue;
    }
    const bool is_ground = element.starts_with("<rect") && element.find(" stroke=") == std::string_view::npos &&
                           element.find(" fill-opacity=") == std::string_view::npos;
    const ColourRole role = element.starts_with("<text") ? ColourRole::text
                            : is_fill && is_ground       ? ColourRole::ground
                                                         : ColourRole::line;
    found.insert({role, std::string(svg.substr(at + 2, 7))});
  }
}

/// The colours of all pictures (class "p") among elements. Nothing else is looked at: what becomes a rule of CSS must
/// not come from a user's text, which stands in other attributes.
inline void collect_colours(std::string_view elements, std::set<ColourUse>& found) {
  constexpr std::string_view begin = "<svg ";
  for (std::size_t at = elements.find(begin); at != std::string_view::npos; at = elements.find(begin, at + 1)) {
    const std::string_view svg = elements.substr(at, elements.find("</svg>", at) - at);
    if (svg.substr(0, svg.find('>')).find(" class=\"p") != std::string_view::npos) {
      collect_shape_colours(svg, found);
    }
  }
}

/// The rules that give each colour of the pictures the one that it has on this page. A picture with a surface in
/// colours of its own (class "paper") stays white on a dark page: lines that are lightened would be lost on the
/// surface.
inline std::string colour_rules(const Theme& theme, const std::set<ColourUse>& colours) {
  const std::string p = theme.is_dark ? ".p:not(.paper) " : ".p ";
  std::string rules;
  for (const auto& [role, colour] : colours) {
    const std::string there = hexadecimal(colour_on(theme, rgb_of(colour), role));
    if (there == colour && !theme.is_dark) {
      continue;  // the dark page needs a rule also then, against that of the light one
    }
    const std::string fill = "[fill=\"" + colour + "\"]";
    if (role == ColourRole::text) {
      rules += p + "text" + fill + "{fill:" + there + "}\n";
    } else if (role == ColourRole::ground) {
      rules += p + "rect" + fill + ":not([stroke]):not([fill-opacity]){fill:" + there + "}\n";
    } else {
      rules += p + "circle" + fill + "," + p + "polygon" + fill + "," + p + "rect[stroke]" + fill + "," + p +
               "rect[fill-opacity]" + fill + "{fill:" + there + "}\n" + p + "[stroke=\"" + colour +
               "\"]{stroke:" + there + "}\n";
    }
  }
  return rules;
}

/// The page's own colours, as properties of CSS.
inline std::string theme_rules(const Theme& theme) {
  return ":root{color-scheme:" + std::string(theme.is_dark ? "dark" : "light") +
         ";--ground:" + hexadecimal(theme.ground) + ";--text:" + hexadecimal(theme.text) +
         ";--soft:" + hexadecimal(theme.soft) + ";--rule:" + hexadecimal(theme.rule) +
         ";--link:" + hexadecimal(theme.link) + ";--shade:" + hexadecimal(theme.shade) + "}\n";
}

}  // namespace regimen::inline v0::detail::reports
