#pragma once
// No LibTorch.

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string>

#include <regimen/experiment/files.hpp>
#include <regimen/report/svg.hpp>
#include <regimen/report/write_file.hpp>

namespace kit {

/// Writes OUT/pictures/NAME.svg.
inline void write_picture(const regimen::report::Picture& picture, const std::string& name, const std::string& out) {
  regimen::report::write_file(out + "/pictures/" + name + ".svg", regimen::report::svg(picture));
}

/// A thin line from mean to mean, of their colour and without a name.
inline regimen::report::Lines joined(const regimen::report::ErrorBars& bars) {
  regimen::report::Lines line{
      .x = bars.x, .style = {.colour = bars.style.colour, .dash = regimen::report::Dash::solid, .width = 0.8}};
  for (const auto& each : bars.y) {
    line.y.push_back(each.value);
  }
  return line;
}

/// Puts "a) ", "b) ", ... before the panels' titles; of at most 26 panels.
inline void letter(regimen::report::Picture& picture) {
  for (std::size_t i = 0; i < picture.panels.size(); ++i) {
    regimen::report::Panel& panel = picture.panels[i];
    panel.title = std::string(1, static_cast<char>('a' + i)) + ") " + panel.title;
  }
}

/// Leaves the label of the y axis, which all panels share, to the first of each row.
inline void share_y(regimen::report::Picture& picture) {
  for (std::size_t i = 0; i < picture.panels.size(); ++i) {
    regimen::report::Panel& panel = picture.panels[i];
    panel.y.label = i % picture.columns == 0 ? panel.y.label : "";
  }
}

/// Writes the text that ends a program, OUT/table.txt, prints it, and says where its numbers and pictures are.
inline void show_text(const std::string& text, const std::string& out, const std::string& numbers) {
  regimen::experiment::write_file(out + "/table.txt", text);
  std::printf("%s\nEvery number: %s/%s\n", text.c_str(), out.c_str(), numbers.c_str());
  if (std::filesystem::exists(out + "/pictures")) {
    std::printf("Pictures: %s/pictures/*.svg\n", out.c_str());
  }
}

}  // namespace kit
