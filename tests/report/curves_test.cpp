#include <regimen/report/curves.hpp>
#include <regimen/report/svg.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "support/histories.hpp"
#include "support/numbers.hpp"

namespace curves_test {

namespace rg = regimen;
namespace report = regimen::report;
using report::Curve;
using report::Lines;
using report::Panel;
using report::Stage;
using rg::Metric;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// So many epochs, each with a fit of 0.5.
rg::History of_length(int epochs) {
  rg::History history;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    rg::Epoch& each = history.epochs.emplace_back();
    each.clock.epoch = epoch;
    set(each, Metric::fit_accuracy, 0.5);
  }
  return history;
}

/// The epochs of a phase of a run.
void append(rg::History& run, int phase, const std::string& name, const rg::History& part) {
  for (rg::Epoch epoch : part) {
    epoch.clock.phase = phase;
    epoch.phase = name;
    run.epochs.push_back(epoch);
  }
}

const Lines& line(const Panel& panel, std::size_t i) {
  return std::get<Lines>(panel.series.at(i));
}

/// "0:0 20:20 24:24|0": where ticks are, from the left, and what they say.
std::string told(const std::vector<report::Tick>& ticks) {
  std::vector<report::Tick> sorted = ticks;
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  std::string text;
  for (const report::Tick& tick : sorted) {
    text += (text.empty() ? "" : " ") + rg::detail::text(tick.at) + ":" + tick.text;
  }
  return text;
}

std::string ticks_of(const std::vector<std::int64_t>& lengths) {
  return told(rg::detail::reports::stage_ticks(lengths));
}

/// Equality in which NaN equals NaN.
bool same(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) { return rg::detail::same(x, y); });
}

TEST_CASE("curves: a single phase is neither named nor shaded") {
  const Panel panel = report::curves({{"alone", history_of(Metric::test_accuracy, {0.25, 0.5})}});
  CHECK(panel.stretches.empty());
  REQUIRE(panel.series.size() == 1);
  CHECK(same(line(panel, 0).x, {1, 2}));
  CHECK(same(line(panel, 0).y, {25, 50}));
  CHECK(line(panel, 0).name == "test data");
  CHECK(panel.x.label == "epochs of the phase");
  CHECK(panel.x.from == 0);
  CHECK(panel.x.to == 2);
  CHECK(told(panel.x.ticks) == "0:0 2:2");
  CHECK(panel.y.label == "accuracy (%)");
  CHECK(panel.y.from == 0);
  CHECK(panel.y.to == 100);
}

TEST_CASE("curves: phases follow each other, with names, shades and gaps") {
  const Panel panel = report::curves({{"a", history_of(Metric::fit_accuracy, {0.5, 1})},
                                      {"b", history_of(Metric::fit_accuracy, {0.25})},
                                      {"c", history_of(Metric::fit_accuracy, {0.75, 0, 0.5})}});
  REQUIRE(panel.series.size() == 1);
  CHECK(same(line(panel, 0).x, {1, 2, nan, 3, nan, 4, 5, 6}));
  CHECK(same(line(panel, 0).y, {50, 100, nan, 25, nan, 75, 0, 50}));
  CHECK(panel.x.to == 6);
  REQUIRE(panel.stretches.size() == 3);
  const double ends[] = {0, 2, 3, 6};
  const char* const colours[] = {report::colour::light_grey, "", report::colour::light_grey};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(panel.stretches[i].from == ends[i]);
    CHECK(panel.stretches[i].to == ends[i + 1]);
    CHECK(panel.stretches[i].text == std::string(1, "abc"[i]));
    CHECK(panel.stretches[i].colour == colours[i]);
  }
}

TEST_CASE("curves: epochs that were not scored are skipped, NaN leaves a gap") {
  const Panel panel = report::curves({{"a", history_of(Metric::test_accuracy, {{}, 0.5, {}, nan, {}, 0.25})}});
  CHECK(same(line(panel, 0).x, {2, 4, 6}));
  CHECK(same(line(panel, 0).y, {50, nan, 25}));
  CHECK(panel.x.to == 6);
}

TEST_CASE("curves: a phase without scores takes its room, and one gap") {
  const Panel panel = report::curves({{"a", history_of(Metric::test_accuracy, {0.5})},
                                      {"b", history_of(Metric::test_accuracy, {{}, {}})},
                                      {"c", history_of(Metric::test_accuracy, {0.75})},
                                      {"d", history_of(Metric::test_accuracy, {{}})}});
  CHECK(same(line(panel, 0).x, {1, nan, 4}));
  CHECK(panel.x.to == 5);
  const Panel late =
      report::curves({{"a", history_of(Metric::test_accuracy, {{}})}, {"b", history_of(Metric::test_accuracy, {0.5})}});
  CHECK(same(line(late, 0).x, {2}));
}

TEST_CASE("curves: what has no number in any epoch is left out") {
  rg::History history = history_of(Metric::fit_loss, {2, 1});  // of a regression: no accuracy
  CHECK(report::curves({{"a", history}}).series.empty());
  const Panel panel = report::curves({{"a", history}}, report::loss_curves());
  REQUIRE(panel.series.size() == 1);
  CHECK(same(line(panel, 0).y, {2, 1}));
  const rg::History diverged = history_of(Metric::fit_loss, {nan, std::numeric_limits<double>::infinity()});
  CHECK(report::curves({{"a", diverged}}, report::loss_curves()).series.empty());
  CHECK(!report::svg({.panels = {report::curves({{"a", diverged}}, report::loss_curves())}}).empty());
}

TEST_CASE("curves: losses are as they are, on an axis that is chosen") {
  const Panel panel = report::curves({{"a", history_of(Metric::test_loss, {2.5, 0.5})}}, report::loss_curves());
  CHECK(same(line(panel, 0).y, {2.5, 0.5}));
  CHECK(panel.y.label == "loss");
  CHECK(std::isnan(panel.y.from));
  CHECK(std::isnan(panel.y.to));
}

TEST_CASE("curves: fit, clean, validation and test have names and looks of their own") {
  rg::History history = of_length(2);
  for (rg::Epoch& epoch : history.epochs) {
    for (const Metric metric : {Metric::clean_accuracy, Metric::validation_accuracy, Metric::test_accuracy}) {
      set(epoch, metric, 0.5);
    }
  }
  const Panel panel = report::curves({{"a", history}});
  REQUIRE(panel.series.size() == 4);
  const char* const names[] = {"labels it is trained on", "true labels of the training data", "validation data",
                               "test data"};
  const char* const colours[] = {report::colour::grey, report::colour::blue, report::colour::green,
                                 report::colour::vermillion};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(line(panel, i).name == names[i]);
    CHECK(line(panel, i).style.colour == colours[i]);
  }
  const std::vector<Curve> losses = report::loss_curves();
  const std::vector<Curve> accuracies = report::accuracy_curves();
  REQUIRE(losses.size() == accuracies.size());
  for (std::size_t i = 0; i < losses.size(); ++i) {
    CHECK(rg::detail::reports::default_name(losses[i].metric) == names[i]);
    CHECK(rg::detail::reports::default_style(losses[i].metric).colour == colours[i]);
    CHECK(rg::larger_is_better(accuracies[i].metric));
  }
}

TEST_CASE("curves: the caller chooses curves, names and any part of a style") {
  rg::History history = of_length(2);
  set(history.epochs[1], Metric::test_accuracy, 0.5);
  const Panel panel = report::curves(
      {{"a", history}},
      {{.metric = Metric::test_accuracy, .name = "held out", .style = {.mark = report::Mark::none, .width = 3}}});
  REQUIRE(panel.series.size() == 1);
  CHECK(line(panel, 0).name == "held out");
  CHECK(line(panel, 0).style.colour == report::colour::vermillion);
  CHECK(line(panel, 0).style.dash == report::Dash::solid);
  CHECK(line(panel, 0).style.mark == report::Mark::none);
  CHECK(line(panel, 0).style.width == 3);
}

TEST_CASE("curves: a run's history is split by phase") {
  rg::History run;
  append(run, 0, "memorize", of_length(3));
  append(run, 2, "vanilla", of_length(2));  // phase 1 was over before its first epoch
  append(run, 3, "vanilla", of_length(1));  // a second phase of that name
  const std::vector<Stage> stages = report::stages_of(run);
  REQUIRE(stages.size() == 3);
  CHECK(stages[0].name == "memorize");
  CHECK(stages[0].history.size() == 3);
  CHECK(stages[1].name == "vanilla");
  CHECK(stages[2].history.size() == 1);
  CHECK(report::stages_of({}).empty());
  const Panel panel = report::curves(run);
  CHECK(same(line(panel, 0).x, {1, 2, 3, nan, 4, 5, nan, 6}));
  CHECK(panel.stretches[1].text == "vanilla");
  CHECK(report::curves(run, report::loss_curves()).y.label == "loss");
  CHECK(report::svg({.panels = {panel}}) == report::svg({.panels = {report::curves(stages)}}));
}

TEST_CASE("curves: each phase counts its epochs from 0") {
  CHECK(ticks_of({35}) == "0:0 5:5 10:10 15:15 20:20 25:25 30:30 35:35");  // at most seven steps
  CHECK(ticks_of({36}) == "0:0 10:10 20:20 30:30 36:36");
  CHECK(ticks_of({24, 36}) == "0:0 10:10 24:24|0 34:10 44:20 54:30 60:36");
  CHECK(ticks_of({40, 40, 40}) == "0:0 20:20 40:40|0 60:20 80:40|0 100:20 120:40");
}

TEST_CASE("curves: round numbers of epochs are 5 apart or more") {
  CHECK(ticks_of({1}) == "0:0 1:1");
  CHECK(ticks_of({7}) == "0:0 5:5 7:7");
  CHECK(ticks_of({350}) == "0:0 50:50 100:100 150:150 200:200 250:250 300:300 350:350");
  CHECK(ticks_of({351}) == "0:0 100:100 200:200 300:300 351:351");
}

// On an axis of 100 epochs a digit is 1.8 wide. Texts of n letters together touch where they are less than
// 1.8 * (n / 2 + 1) apart: 7.2 for "20" and "27|0".

TEST_CASE("curves: a round number gives way to the end of a phase that it would touch") {
  CHECK(ticks_of({27, 73}) == "0:0 27:27|0 47:20 67:40 87:60 100:73");
  CHECK(ticks_of({28, 72}) == "0:0 20:20 28:28|0 48:20 68:40 88:60 100:72");
}

TEST_CASE("curves: of two ticks in one place the end of a phase stays") {
  CHECK(ticks_of({60, 40}) == "0:0 20:20 40:40 60:60|0 80:20 100:40");
  CHECK(ticks_of({100, 100}) == "0:0 50:50 100:100|0 150:50 200:100");
}

TEST_CASE("curves: ends of middle phases give way, the first and the last never") {
  // "50|0" and "8|0": 8.1. "0" alone, where the third phase begins, has room: 6.3.
  CHECK(ticks_of({50, 8, 42}) == "0:0 20:20 40:40 50:50|0 58:0 78:20 100:42");
  CHECK(ticks_of({50, 9, 41}) == "0:0 20:20 40:40 50:50|0 59:9|0 79:20 100:41");
  CHECK(ticks_of({98, 1, 1}) == "0:0 20:20 40:40 60:60 80:80 98:98|0 100:1");
}

TEST_CASE("curves: misuse is an error with field, bound and value") {
  const auto refused = [](const std::vector<Stage>& stages,
                          const std::vector<Curve>& drawn = report::accuracy_curves()) {
    return error_of([&] { (void)report::curves(stages, drawn); });
  };
  CHECK(refused({}) ==
        "curves: stages.size() must be at least 1 (one for each phase; stages_of makes them of a History), but is 0");
  CHECK(refused({{"a", of_length(1)}, {"b", {}}}) ==
        "curves: stages[1] \"b\".history.size() must be at least 1 (leave out a phase without a complete epoch), but "
        "is 0");
  CHECK(error_of([] { (void)report::curves(rg::History{}); }) ==
        "curves: history.size() must be at least 1 (a run that is stopped within its first epoch has none: see "
        "History::empty), but is 0");
  CHECK(refused({{"a", of_length(1)}}, {}) ==
        "curves: drawn.size() must be at least 1 (accuracy_curves() and loss_curves() have four), but is 0");
  CHECK(refused({{"a", of_length(1)}}, {{.metric = Metric::fit_loss}, {.metric = Metric::test_accuracy}}) ==
        "curves: drawn[1].metric must be a loss as drawn[0] is (a panel has one axis: draw the others in a second "
        "panel), but is test_accuracy");
  rg::History run;
  append(run, 0, "one", of_length(3));
  append(run, 1, "two", of_length(2));
  CHECK(
      refused({{"", run}}) ==
      "curves: stages[0].history.epochs[3].clock.epoch must be above 3 (it counts the complete epochs of one phase; a "
      "History of several phases is split by stages_of), but is 1");
  rg::History uncounted = of_length(1);
  uncounted.epochs[0].clock.epoch = 0;
  CHECK(refused({{"", uncounted}}).find("epochs[0].clock.epoch must be above 0") != std::string::npos);
}

TEST_CASE("curves: the picture has two lines for two phases, and their names") {
  const std::string svg =
      report::svg({.panels = {report::curves({{"random labels", of_length(24)}, {"true labels", of_length(36)}})}});
  CHECK(svg.find(">24|0<") != std::string::npos);
  CHECK(svg.find(">random labels<") != std::string::npos);
  CHECK(svg.find(">true labels<") != std::string::npos);
  const std::size_t first = svg.find("<polyline");
  const std::size_t second = svg.find("<polyline", first + 1);
  CHECK(second != std::string::npos);
}

}  // namespace curves_test
