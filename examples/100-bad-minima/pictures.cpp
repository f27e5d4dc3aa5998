#include "pictures.hpp"

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>

#include <regimen/report/svg.hpp>
#include <regimen/report/write_file.hpp>

namespace rg = regimen;

namespace {

std::string pictures_of(const Settings& settings) {
  return settings.out + "/pictures";
}

}  // namespace

void write_picture(const rg::report::Picture& picture, const std::string& name, const Settings& settings) {
  rg::report::write_file(pictures_of(settings) + "/" + name + ".svg", rg::report::svg(picture));
}

std::string title_of(const std::string& regularizers) {
  if (regularizers == "vanilla") {
    return "vanilla SGD";
  }
  return regularizers == "all three" ? "augmentation + l2 + momentum" : regularizers;
}

void draw_tiles(const rg::report::Tiles& tiles, const Settings& settings) {
  write_picture(
      {.description = "Images of the confusion set, pixels zeroed and labels random, below the undamaged ones.",
       .panels = {{.tiles = tiles}}},
      "confusion-set", settings);
}

void draw_boundaries(const ToyPicture& toy, const Settings& settings) {
  rg::report::Points blue{.name = "left class", .style = {.colour = rg::report::colour::blue, .size = 2}};
  rg::report::Points red{.name = "right class", .style = {.colour = rg::report::colour::vermillion, .size = 2.4}};
  for (const auto& [x, y, label] : toy.points) {
    rg::report::Points& points = label < 0.5 ? blue : red;
    points.x.push_back(x);
    points.y.push_back(y);
  }
  rg::report::Picture picture{.description = "Decision boundaries of the toy from both starts.",
                              .columns = toy.boundaries.size()};
  for (const Boundary2d& boundary : toy.boundaries) {
    rg::report::HeatGrid said{.rows = static_cast<std::size_t>(toy.rows),
                              .columns = static_cast<std::size_t>(toy.columns),
                              .left = toy.left,
                              .right = toy.right,
                              .bottom = toy.bottom,
                              .top = toy.top,
                              .from = 0,
                              .to = 1,
                              .colours = {"#f1f6fb", "#efc9a2"}};
    for (const double logit : boundary.logits) {
      said.values.push_back(logit > 0 ? 1 : 0);
    }
    const bool first = picture.panels.empty();
    rg::report::Panel& panel = picture.panels.emplace_back();
    panel.title = boundary.title;
    panel.x.label = "x₁";
    panel.y.label = first ? "x₂" : "";
    panel.y.has_ticks = first;
    panel.height = 150;
    panel.series.emplace_back(std::move(said));
    for (const rg::report::Points* const points : {&blue, &red}) {
      if (!points->x.empty()) {
        panel.series.emplace_back(*points);
      }
    }
  }
  write_picture(picture, "boundaries", settings);
}

void finish_pictures(const Settings& settings) {
  if (std::filesystem::exists(pictures_of(settings))) {
    std::printf("Pictures: %s/*.svg\n", pictures_of(settings).c_str());
  }
}
