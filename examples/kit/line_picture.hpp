#pragma once
// No LibTorch.

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace kit {

/// One line of a picture: its name, how it looks, and its points, both coordinates in [0, 100].
struct Line {
  std::string name;
  std::string colour = "black";  ///< as SVG has it
  bool dashed = false;
  std::vector<std::pair<double, double>> points{};
};

/// Lines over two axes from 0 to 100, with a legend, as an SVG file.
inline std::string line_picture(const std::string& title, const std::string& x, const std::string& y,
                                const std::vector<Line>& lines) {
  const auto number = [](double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    return std::string(text);
  };
  const auto text_at = [&](double left, double top, const std::string& text) {
    return "<text x=\"" + number(left) + "\" y=\"" + number(top) + "\">" + text + "</text>\n";
  };
  std::string svg =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 600 330\" font-family=\"sans-serif\" font-size=\"12\">\n"
      "<title>" +
      title + "</title>\n<rect width=\"600\" height=\"330\" fill=\"white\"/>\n" +
      "<path d=\"M50 20V280H400\" fill=\"none\" stroke=\"black\"/>\n" + text_at(170, 318, x) + text_at(10, 14, y);
  for (int tick = 0; tick <= 100; tick += 20) {
    svg += text_at(22, 284 - 2.6 * tick, std::to_string(tick)) + text_at(46 + 3.5 * tick, 298, std::to_string(tick));
  }
  double top = 40;
  for (const Line& line : lines) {
    const std::string look = "fill=\"none\" stroke-width=\"2\" stroke=\"" + line.colour + "\"" +
                             (line.dashed ? " stroke-dasharray=\"6 4\"" : "");
    std::string points;
    for (const auto& [right, up] : line.points) {
      points += (points.empty() ? "" : " ") + number(50 + 3.5 * right) + "," + number(280 - 2.6 * up);
    }
    svg += "<polyline " + look + " points=\"" + points + "\"/>\n<path " + look + " d=\"M415 " + number(top) +
           "h30\"/>\n" + text_at(450, top + 4, line.name);
    top += 22;
  }
  return svg + "</svg>\n";
}

}  // namespace kit
