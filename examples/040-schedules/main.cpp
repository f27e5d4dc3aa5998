// Draws every schedule of the library once, as an SVG picture: docs/pictures/schedules.svg is what this program writes.
// Needs no LibTorch: schedules are arithmetic.
//
//     draw_schedules > docs/pictures/schedules.svg

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <regimen/schedule.hpp>

namespace rg = regimen;

namespace {

constexpr int epochs = 30;
constexpr int batches = 5;  // an epoch

constexpr double width = 225;  // of a panel
constexpr double height = 150;
constexpr double plot_left = 28;
constexpr double plot_right = 215;
constexpr double plot_top = 44;
constexpr double plot_bottom = 132;

const char* const colours[] = {"#1f6fb4", "#c8382e", "#3a923a"};

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

rg::History until(const rg::History& history, int epoch) {
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

/// "12.5"
std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

double x_of(double position) {
  return plot_left + (plot_right - plot_left) * position / epochs;
}

double y_of(double value) {
  return plot_bottom - (plot_bottom - plot_top) * value;
}

std::string line(double x1, double y1, double x2, double y2, const std::string& colour) {
  return "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) + "\" y2=\"" + number(y2) +
         "\" stroke=\"" + colour + "\"/>\n";
}

std::string text(double x, double y, const std::string& what, const std::string& how) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" " + how + ">" + what + "</text>\n";
}

std::string curve(const std::vector<std::pair<double, double>>& points, const std::string& colour, bool dashed) {
  std::string path;
  for (const auto& [x, y] : points) {
    path += (path.empty() ? "" : " ") + number(x) + "," + number(y);
  }
  return "<polyline fill=\"none\" stroke=\"" + colour + "\" stroke-width=\"1.6\" " +
         (dashed ? "stroke-dasharray=\"3 3\" " : "") + "points=\"" + path + "\"/>\n";
}

/// One schedule over the epochs, batch by batch.
std::string curve_of(const rg::Knob& knob, const rg::History& history, const std::string& colour) {
  std::vector<std::pair<double, double>> points;
  for (rg::Clock clock{.batches = batches}; clock.epoch < epochs; ++clock.epoch) {
    const rg::History so_far = until(history, clock.epoch);
    for (clock.batch = 0; clock.batch < batches; ++clock.batch) {
      clock.step = clock.epoch * batches + clock.batch;
      points.emplace_back(x_of(clock.position()), y_of(knob(clock, so_far)));
    }
  }
  return curve(points, colour, false);
}

std::string curve_of(const rg::History& losses) {
  std::vector<std::pair<double, double>> points;
  for (const rg::Epoch& epoch : losses) {
    points.emplace_back(x_of(epoch.clock.epoch), y_of(epoch.fit.loss));
  }
  return curve(points, "#777777", true);
}

std::string drawn(const Panel& panel) {
  const std::string small = "font-size=\"9\" fill=\"#555555\"";
  std::string svg = text(plot_left, 18, panel.name, "font-size=\"13\" font-weight=\"bold\" fill=\"#222222\"") +
                    text(plot_left, 32, panel.text, "font-size=\"10\" fill=\"#555555\"");
  for (const double value : {0.0, 0.5, 1.0}) {
    svg += line(plot_left, y_of(value), plot_right, y_of(value), "#dddddd");
    svg += text(plot_left - 4, y_of(value) + 3, number(value), small + " text-anchor=\"end\"");
  }
  for (const int epoch : {0, 10, 20, 30}) {
    svg += line(x_of(epoch), plot_bottom, x_of(epoch), plot_bottom + 3, "#999999");
    svg += text(x_of(epoch), plot_bottom + 12, std::to_string(epoch), small + " text-anchor=\"middle\"");
  }
  const rg::History history = losses();
  for (std::size_t i = 0; i < panel.lines.size(); ++i) {
    if (!panel.lines[i].metrics().empty()) {
      svg += curve_of(history) + text(plot_right, plot_top + 8, "loss, dashed", small + " text-anchor=\"end\"");
    }
    svg += curve_of(panel.lines[i], history, colours[i]);
  }
  return svg;
}

}  // namespace

int main() {
  const std::vector<Panel> all = panels();
  constexpr std::size_t columns = 4;
  const std::size_t rows = (all.size() + columns - 1) / columns;
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(columns * width) + "\" height=\"" +
                    number(static_cast<double>(rows) * height) +
                    "\" font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\">\n" +
                    "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto column = static_cast<double>(i % columns);
    const auto row = static_cast<double>(i / columns);
    svg += "<g transform=\"translate(" + number(column * width) + " " + number(row * height) + ")\">\n" +
           drawn(all[i]) + "</g>\n";
  }
  std::fputs((svg + "</svg>\n").c_str(), stdout);
}
