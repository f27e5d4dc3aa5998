// Draws every schedule of the library once, as an SVG picture: docs/pictures/schedules.svg is what this program writes.
// Needs no LibTorch: schedules are arithmetic.
//
//     draw_schedules > docs/pictures/schedules.svg

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <regimen/report.hpp>
#include <regimen/schedule.hpp>

namespace rg = regimen;
namespace report = regimen::report;

namespace {

constexpr int epochs = 30;
constexpr int batches = 5;  // an epoch

struct Panel {
  std::string name;
  std::string text;  ///< what is drawn, as code
  std::vector<rg::Knob> lines;
};

/// A loss that falls, and twice does not for a while: for the schedule that looks at one.
rg::History losses() {
  rg::History history;
  double loss = 1;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    const bool stuck = (epoch > 8 && epoch < 14) || epoch > 20;
    loss *= stuck ? 1.0 : 0.9;
    rg::Epoch& last = history.epochs.emplace_back();
    last.clock.epoch = epoch;
    last.fit = {.loss = loss, .samples = 1};
  }
  return history;
}

rg::History until(const rg::History& history, std::int64_t epoch) {
  rg::History part = history;
  part.epochs.resize(static_cast<std::size_t>(epoch));
  return part;
}

std::vector<Panel> panels() {
  using rg::Between;
  const auto shaped = [](rg::Cooldown shape) {
    return rg::WarmupStableDecay{.epochs = 30, .warmup = 3, .decay = 12, .shape = shape};
  };
  const auto through = [](Between between) {
    return rg::Piecewise{{{0, 0.1}, {5, 1}, {15, 0.4}, {22, 0.7}, {30, 0}}, between};
  };
  return {
      {"Constant", "{.value = 0.6}", {rg::Constant{.value = 0.6}}},
      {"StepDecay", "{{15, 25}, 0.3}", {rg::StepDecay{{15, 25}, 0.3}}},
      {"PeriodicDecay", "{.epochs = 5, .factor = 0.7}", {rg::PeriodicDecay{.epochs = 5, .factor = 0.7}}},
      {"PlateauDecay", "{.factor = 0.5, .patience = 2}", {rg::PlateauDecay{.factor = 0.5, .patience = 2}}},
      {"LinearDecay", "{.epochs = 25, .to = 0.1}", {rg::LinearDecay{.epochs = 25, .to = 0.1}}},
      {"PolynomialDecay",
       ".power = 0.5, 2, 4",
       {rg::PolynomialDecay{.epochs = 30, .power = 0.5}, rg::PolynomialDecay{.epochs = 30, .power = 2},
        rg::PolynomialDecay{.epochs = 30, .power = 4}}},
      {"ExponentialDecay", "{.factor = 0.9}", {rg::ExponentialDecay{.factor = 0.9}}},
      {"InverseSquareRoot", "{.warmup = 4}", {rg::InverseSquareRoot{.warmup = 4}}},
      {"Cosine", "{.epochs = 30}", {rg::Cosine{.epochs = 30}}},
      {"CosineRestarts", "{.epochs = 4, .growth = 2}", {rg::CosineRestarts{.epochs = 4, .growth = 2}}},
      {"OneCycle",
       "rate; momentum: 0.95, 0.85, 0.95",
       {rg::OneCycle{.epochs = 30}, rg::OneCycle{.epochs = 30, .start = 0.95, .peak = 0.85, .end = 0.95}}},
      {"WarmupStableDecay",
       "line, cosine, square_root",
       {shaped(rg::Cooldown::line), shaped(rg::Cooldown::cosine), shaped(rg::Cooldown::square_root)}},
      {"LinearWarmup", "{.epochs = 5}", {rg::LinearWarmup{.epochs = 5}}},
      {"Product", "LinearWarmup{5} * Cosine{30}", {rg::LinearWarmup{.epochs = 5} * rg::Cosine{.epochs = 30}}},
      {"Concatenation",
       "LinearWarmup 5, Cosine 15, 0.3",
       {rg::Concatenation{{{rg::LinearWarmup{.epochs = 5}, 5}, {rg::Cosine{.epochs = 15}, 15}, {0.3}}}}},
      {"InSteps", "{Cosine{.epochs = 100}}", {rg::InSteps{rg::Cosine{.epochs = 100}}}},
      {"Piecewise", "jump, line, cosine", {through(Between::jump), through(Between::line), through(Between::cosine)}},
  };
}

/// One schedule over the epochs, batch by batch.
report::Lines curve_of(const rg::Knob& knob, const rg::History& history) {
  report::Lines curve;
  for (rg::Clock clock{.batches = batches}; clock.epoch < epochs; ++clock.epoch) {
    const rg::History so_far = until(history, clock.epoch);
    for (clock.batch = 0; clock.batch < batches; ++clock.batch) {
      clock.step = clock.epoch * batches + clock.batch;
      curve.x.push_back(clock.position());
      curve.y.push_back(knob(clock, so_far));
    }
  }
  return curve;
}

report::Lines curve_of(const rg::History& losses) {
  report::Lines curve{.name = "the loss that PlateauDecay looks at",
                      .style = {.colour = report::colour::grey, .dash = report::Dash::dashed}};
  for (const rg::Epoch& epoch : losses) {
    curve.x.push_back(epoch.clock.position());
    curve.y.push_back(epoch.fit.loss);
  }
  return curve;
}

report::Panel drawn(const Panel& panel) {
  report::Panel result{.title = panel.name,
                       .subtitle = panel.text,
                       .x = {.from = 0, .to = epochs},
                       .y = {.from = 0, .to = 1, .ticks = {{0, "0"}, {0.5, "0.5"}, {1, "1"}}},
                       .height = 90};
  const rg::History history = losses();
  for (const rg::Knob& knob : panel.lines) {
    if (!knob.metrics().empty()) {
      result.series.push_back(curve_of(history));
    }
    result.series.push_back(curve_of(knob, history));
  }
  return result;
}

}  // namespace

int main() {
  report::Picture picture{.description = "Seventeen schedules over thirty epochs.", .columns = 4, .width = 900};
  for (const Panel& panel : panels()) {
    picture.panels.push_back(drawn(panel));
  }
  std::fputs(report::svg(picture).c_str(), stdout);
}
