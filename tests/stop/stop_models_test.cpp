// The criteria that read gaps, losses and measures, along histories made by hand.

#include "regimen/stop.hpp"

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "support/histories.hpp"
#include "support/numbers.hpp"

using regimen::Epoch;
using regimen::FitLossReaches;
using regimen::FitReaches;
using regimen::GapExceeds;
using regimen::History;
using regimen::LossDiverges;
using regimen::MeasureExceeds;
using regimen::MeasureRises;
using regimen::Metric;
using regimen::Patience;
using regimen::Stop;
using regimen::unknown;

namespace {

/// One epoch for each value of the measure "m"; an epoch without a value took none.
History measured(const std::vector<std::optional<double>>& values) {
  History history;
  for (const std::optional<double>& value : values) {
    Epoch& epoch = history.epochs.emplace_back();
    epoch.clock.epoch = static_cast<int>(history.size());
    if (value) {
      epoch.measures["m"] = *value;
    }
    epoch.measures["other"] = 1000;
  }
  return history;
}

History with(History history, Metric metric, const std::vector<double>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    set(history.epochs[i], metric, values[i]);
  }
  return history;
}

}  // namespace

TEST_CASE("relative patience wants a share of the best, in either direction") {
  // 100 -> 95 is no improvement by a tenth, 89 is; from there 81 is none (80.1), 80 is.
  const History falling = history_of(Metric::fit_loss, {100.0, 95.0, 89.0, 85.0, 81.0, 80.0, 79.0, 78.0});
  const Patience loss{.scorings = 2, .metric = Metric::fit_loss, .by = 0.1, .relative = true};
  CHECK(answers(loss, falling) == "....S..S");

  const History rising = history_of(Metric::fit_accuracy, {0.5, 0.54, 0.56, 0.6, 0.61});
  const Patience accuracy{.scorings = 2, .metric = Metric::fit_accuracy, .by = 0.1, .relative = true};
  CHECK(answers(accuracy, rising) == "....S");
}

TEST_CASE("a negative best is improved on by a share of its size") {
  const History falling = history_of(Metric::fit_loss, {-10.0, -10.5, -11.5});
  CHECK(answers(Patience{.scorings = 1, .metric = Metric::fit_loss, .by = 0.1, .relative = true}, falling) == ".S.");
}

TEST_CASE("with what is right among the labels, fit stops where only wrong ones are left") {
  const History history = history_of(Metric::fit_accuracy, {0.3, 0.55, 0.6, 0.7, 1.0});
  CHECK(answers(FitReaches{.accuracy = 1 - 0.4}, history) == "..SSS");
}

TEST_CASE("a loss that reaches its bound has met it, for so many scorings in a row") {
  const History history = history_of(Metric::fit_loss, {0.5, 0.1, 0.2, 0.1, 0.05, 0.01});
  CHECK(answers(FitLossReaches{.loss = 0.1}, history) == ".S.SSS");
  CHECK(answers(FitLossReaches{.loss = 0.1, .hold = 2}, history) == "....SS");
  CHECK(answers(FitLossReaches{.loss = -1}, history_of(Metric::fit_loss, {-0.5, -1.5})) == ".S");  // a likelihood's
  CHECK(answers(FitLossReaches{.loss = 0.1}, history_of(Metric::fit_loss, {NAN, 0.1})) == ".S");
  CHECK(FitLossReaches{}.metrics() == std::vector{Metric::fit_loss});
}

TEST_CASE("a gap in accuracy exceeds its bound, and holds") {
  History history = history_of(Metric::fit_accuracy, {0.5, 0.75, 0.75, 1.0, 1.0});
  history = with(history, Metric::validation_accuracy, {0.5, 0.5, 0.625, 0.75, 0.5});
  // Gaps: 0, 0.25, 0.125, 0.25, 0.5
  CHECK(answers(GapExceeds{.bound = 0.125}, history) == ".S.SS");
  CHECK(answers(GapExceeds{.bound = 0.25}, history) == "....S");
  CHECK(answers(GapExceeds{.bound = 0.125, .hold = 2}, history) == "....S");
  CHECK(answers(GapExceeds{.bound = -0.5}, history) == "SSSSS");
}

TEST_CASE("a gap in loss is that of the held-out data over that of the fitted") {
  History history = history_of(Metric::fit_loss, {2.0, 1.0, 0.5});
  history = with(history, Metric::validation_loss, {2.0, 1.5, 2.5});
  const GapExceeds gap{.bound = 0.5, .of = Metric::fit_loss, .over = Metric::validation_loss};
  CHECK(answers(gap, history) == "..S");
}

TEST_CASE("a gap is there where both were scored") {
  History history = history_of(Metric::fit_accuracy, {1.0, 1.0, 1.0});
  set(history.epochs[1], Metric::validation_accuracy, 0.5);
  CHECK(answers(GapExceeds{.bound = 0.125, .hold = 1}, history) == ".SS");
  CHECK(answers(GapExceeds{.bound = 0.125, .hold = 2}, history) == "...");
}

TEST_CASE("a loss diverges when it is a multiple of its least, or not finite") {
  const History history = history_of(Metric::fit_loss, {4.0, 1.0, 2.0, 2.5, 0.5, 1.5, unknown, 0.9, INFINITY});
  CHECK(answers(LossDiverges{}, history) == "...S.SS.S");
  CHECK(answers(LossDiverges{.hold = 2}, history) == "......S..");
  CHECK(answers(LossDiverges{.times = 3}, history) == "......S.S");
  CHECK(answers(LossDiverges{.times = 1, .by = 1.25}, history) == "...S..S.S");
  CHECK(answers(LossDiverges{}, history_of(Metric::fit_loss, {unknown})) == "S");
  CHECK(answers(LossDiverges{}, history_of(Metric::fit_loss, {{}, 1.0, {}, 3.0, {}})) == "...SS");
}

TEST_CASE("the flicker of a fitted network is no divergence") {
  const History fitted = history_of(Metric::fit_loss, {2.3, 0.5, 1e-3, 1e-6, 3e-6, 0.0, 1e-7, 0.0, 2e-2, 1e-9});
  CHECK(answers(LossDiverges{}, fitted) == "..........");
  CHECK(answers(LossDiverges{.by = 0}, fitted) == "....S.S.SS");  // by the factor alone it is
  CHECK(answers(LossDiverges{}, history_of(Metric::fit_loss, {0.0, 0.0999, 0.1001})) == "..S");
  CHECK(answers(LossDiverges{}, history_of(Metric::fit_loss, {0.5, 2.0})) == ".S");
  CHECK(answers(LossDiverges{}, history_of(Metric::fit_loss, {0.5, 1.1, 1.11})) == "..S");
}

TEST_CASE("a measure exceeds its bound, and holds") {
  const History history = measured({1, 3, 2, {}, 3, unknown, 4, 1});
  CHECK(answers(MeasureExceeds{.measure = "m", .bound = 2}, history) == ".S..SSS.");
  CHECK(answers(MeasureExceeds{.measure = "m", .bound = 2, .hold = 2}, history) == "......S.");
  CHECK(answers(MeasureExceeds{.measure = "none", .bound = 2}, history) == "........");
}

TEST_CASE("a measure rises once its mean over a window has not been below its least") {
  const History history = measured({8, 4, 5, 3, {}, 3, 6, 1});
  CHECK(answers(MeasureRises{.measure = "m"}, history) == "..S..SS.");
  CHECK(answers(MeasureRises{.measure = "m", .scorings = 2}, history) == "......S.");
  // Means of two: 6, 4.5, 4, 3, 4.5, 3.5
  CHECK(answers(MeasureRises{.measure = "m", .window = 2}, history) == "......SS");
  CHECK(answers(MeasureRises{.measure = "m", .window = 2, .scorings = 2}, history) == ".......S");
  CHECK(answers(MeasureRises{.measure = "m", .window = 9}, history) == "........");
}

TEST_CASE("the first value of the changes of predictions is none") {
  CHECK(answers(MeasureRises{.measure = "m"}, measured({unknown, 0.5, 0.25, 0.125, 0.25})) == "....S");
}

TEST_CASE("a stop names the measures that any part of it reads") {
  using Names = std::vector<std::string>;
  CHECK(Stop().measures().empty());
  CHECK(Stop(FitReaches{}).measures().empty());
  CHECK(Stop(MeasureExceeds{.measure = "m", .bound = 1}).measures() == Names{"m"});
  const Stop nested = FitReaches{} || !(MeasureExceeds{.measure = "a"} && MeasureRises{.measure = "b"});
  CHECK(nested.measures() == Names{"a", "b"});
  CHECK(nested.metrics() == std::vector<Metric>{Metric::fit_accuracy});
  CHECK(Stop(GapExceeds{}).metrics() == std::vector<Metric>{Metric::fit_accuracy, Metric::validation_accuracy});
  CHECK(Stop(LossDiverges{}).metrics() == std::vector<Metric>{Metric::fit_loss});
}

#if !defined(__clang__) || __clang_major__ >= 18  // older ones do not tell the names of fields
TEST_CASE("a criterion's manifest has every field") {
  CHECK(Stop(MeasureExceeds{.measure = "distance", .bound = 12}).manifest() ==
        R"({"type": "MeasureExceeds", "measure": "distance", "bound": 12, "hold": 1})");
  CHECK(Stop(MeasureRises{.measure = "changes"}).manifest() ==
        R"({"type": "MeasureRises", "measure": "changes", "window": 1, "scorings": 1})");
  CHECK(Stop(LossDiverges{}).manifest() ==
        R"({"type": "LossDiverges", "times": 2, "by": 0.1, "metric": "fit_loss", "hold": 1})");
  CHECK(Stop(GapExceeds{.bound = 0.5}).manifest() ==
        R"({"type": "GapExceeds", "bound": 0.5, "of": "fit_accuracy", "over": "validation_accuracy", "hold": 1})");
  CHECK(Stop(Patience{}).manifest() ==
        R"({"type": "Patience", "scorings": 10, "metric": "validation_loss", "by": 0, "relative": false})");
}
#endif

TEST_CASE("a criterion's field out of bounds is an Error that names it") {
  const auto error = [](auto criterion) { return error_of([&] { (void)Stop(criterion); }); };
  CHECK(error(GapExceeds{.bound = unknown}) == "GapExceeds.bound must be finite, but is nan");
  CHECK(error(GapExceeds{.over = Metric::test_loss}) ==
        "GapExceeds.over must be an accuracy, as GapExceeds.of is, but is test_loss");
  CHECK(error(GapExceeds{.of = Metric::fit_loss}) ==
        "GapExceeds.over must be a loss, as GapExceeds.of is, but is validation_accuracy");
  CHECK(error(GapExceeds{.hold = 0}) == "GapExceeds.hold must be at least 1, but is 0");
  CHECK(error(LossDiverges{.times = 0.5}) == "LossDiverges.times must be at least 1 and finite, but is 0.5");
  CHECK(error(LossDiverges{.by = -1}) == "LossDiverges.by must be at least 0 and finite, but is -1");
  CHECK(error(LossDiverges{.metric = Metric::fit_accuracy}) ==
        "LossDiverges.metric must be a loss, but is fit_accuracy");
  CHECK(error(LossDiverges{.hold = 0}) == "LossDiverges.hold must be at least 1, but is 0");
  CHECK(error(MeasureExceeds{}) == "MeasureExceeds.measure must be a name, but is ");
  CHECK(error(MeasureExceeds{.measure = "m", .bound = unknown}) == "MeasureExceeds.bound must be a number, but is nan");
  CHECK(error(MeasureExceeds{.measure = "m", .hold = 0}) == "MeasureExceeds.hold must be at least 1, but is 0");
  CHECK(error(MeasureRises{}) == "MeasureRises.measure must be a name, but is ");
  CHECK(error(MeasureRises{.measure = "m", .window = 0}) == "MeasureRises.window must be at least 1, but is 0");
  CHECK(error(MeasureRises{.measure = "m", .scorings = 0}) == "MeasureRises.scorings must be at least 1, but is 0");
}

TEST_CASE("nothing is over before the first epoch for these either") {
  const History none;
  CHECK(!Stop(GapExceeds{.bound = -1})(none));
  CHECK(!Stop(LossDiverges{})(none));
  CHECK(!Stop(MeasureExceeds{.measure = "m", .bound = -1})(none));
  CHECK(!Stop(MeasureRises{.measure = "m"})(none));
}
