#include "100-bad-minima/pictures.hpp"

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include <regimen/report/svg.hpp>

#include "kit/plane.hpp"
#include "support/numbers.hpp"

namespace rg = regimen;

namespace pictures_test {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++n;
  }
  return n;
}

rg::History history(int epochs) {
  rg::History result;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    rg::Epoch& each = result.epochs.emplace_back();
    each.clock.epoch = epoch;
    each.fit = {.accuracy = 0.5, .loss = 1, .samples = 10};
    if (epoch % 2 == 0) {
      each.test = {.accuracy = 0.4, .loss = 1, .samples = 10};
    }
  }
  return result;
}

/// The first seed's training, of an arm or on random labels.
ex::Results trained(int epochs) {
  ex::Results results;
  results.add({.job = "job", .factors = {{"seed", "1"}}, .history = history(epochs)});
  return results;
}

Group group(std::size_t sets) {
  Group result{{.factors = {{"model", "pooled"}}, .seeds = {"1", "2"}}, 2};
  result.memorized.results = trained(24);
  for (std::size_t i = 0; i < sets; ++i) {
    kit::Comparison& row = result.rows.emplace_back();
    row.name = i == 0 ? "vanilla" : "set " + std::to_string(i);
    row.a = {.mean_accuracy = {.mean = 80, .half_width = 1, .n = 2}, .results = trained(36)};
    row.b = {.mean_accuracy = {.mean = 75, .half_width = 1, .n = 2}, .results = trained(36)};
    row.lost = {.mean = 5, .half_width = 1.5, .n = 2};
  }
  return result;
}

TEST_CASE("pictures: holes have a point for each start and a bar for each set") {
  const std::string svg = rg::report::svg(holes_picture(group(2)));
  CHECK(count(svg, "<circle") == 3);  // two, and the legend's
  CHECK(count(svg, "<rect") == 3);    // two bars on the ground
  CHECK(count(svg, "test accuracy lost (points)") == 1);
  CHECK(count(svg, "Bars: 95 % intervals, n = 2 seeds.") >= 1);
}

TEST_CASE("pictures: no hole without fitted random labels, and no set that diverged") {
  Group unfitted = group(2);
  unfitted.says_lost = false;
  unfitted.rows[1].a.diverged = {"2"};
  const std::string svg = rg::report::svg(holes_picture(unfitted));
  CHECK(count(svg, "<circle") == 2);
  CHECK(count(svg, "lost") == 0);
  unfitted.rows[0].b.diverged = {"1"};
  CHECK(holes_picture(unfitted).panels.empty());
}

TEST_CASE("pictures: curves count each phase's epochs from 0, with a gap between phases") {
  Group shown = group(2);
  const std::string svg = rg::report::svg(curves_picture(shown, {}));
  CHECK(count(svg, ">24|0<") == 2);
  CHECK(count(svg, ">36<") == 4);
  CHECK(count(svg, ">random labels<") == 2);
  // Fit and test of two panels with one phase and two with two, and the legend's; clean was never scored.
  CHECK(count(svg, "<polyline") == 2 * (2 + 4) + 2);
  shown.rows[1].b.results = {};
  CHECK(curves_picture(shown, {}).panels.empty());
}

TEST_CASE("plane: a grid's cells are counted row by row from below") {
  const kit::Plane plane{.columns = 2, .rows = 2, .left = -1, .right = 1, .bottom = 0, .top = 4};
  CHECK(plane.centres() == std::vector<kit::Point2d>{{-0.5, 1}, {0.5, 1}, {-0.5, 3}, {0.5, 3}});
  CHECK(plane.text() == "2 x 2 grid on [-1, 1] x [0, 4]");
  CHECK(kit::share_on_wrong_side(plane, {-1, 1, -1, 1}, kit::right_of(0)) == 0);
  CHECK(kit::share_on_wrong_side(plane, {-1, 1, 1, 0}, kit::right_of(0)) == 0.5);
}

TEST_CASE("plane: panels of boundaries share one axis, and leave out a class without points") {
  const kit::Plane plane{.columns = 2, .rows = 1};
  const std::vector<double> logits{-3, 0.1};
  const rg::report::Picture picture =
      kit::side_by_side({kit::boundary_panel("a", plane, logits, {{{"left", {{0.1, 0.2}}}, {"right", {{0.9, 0.8}}}}}),
                         kit::boundary_panel("b", plane, logits, {{{"left", {{0.1, 0.2}}}, {"right", {}}}})},
                        "Two boundaries.");
  CHECK(picture.columns == 2);
  CHECK(picture.panels[0].y.has_ticks);
  CHECK_FALSE(picture.panels[1].y.has_ticks);
  CHECK(picture.panels[0].series.size() == 3);
  CHECK(picture.panels[1].series.size() == 2);
  CHECK(std::get<rg::report::HeatGrid>(picture.panels[0].series[0]).values == std::vector<double>{0, 1});
  const std::string svg = rg::report::svg(picture);
  CHECK(count(svg, "<circle") == 2 + 1);   // points of the left class, and the legend's
  CHECK(count(svg, "<polygon") == 1 + 1);  // of the right class
}

}  // namespace pictures_test
