// The schedules say what PyTorch's say, step by step. Skipped, loudly, where no Python with PyTorch is found; see
// support/interpreter.hpp.

#include "regimen/schedule.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <unistd.h>

#include "support/histories.hpp"
#include "support/numbers.hpp"

#include "support/interpreter.hpp"

namespace {

namespace rg = regimen;

constexpr int steps = 21;

// As in schedules.py.
const std::initializer_list<std::optional<double>> losses = {100.0, 89.0, 81.0, 80.0, 79.0, 78.0, 77.0,
                                                             60.0,  59.5, 59.0, 58.9, 58.8, 58.7, 58.6,
                                                             58.5,  58.4, 58.3, 58.2, 58.1, 58.0, 57.9};

/// What PyTorch says, by the name of the case.
std::map<std::string, std::vector<double>> values_of_pytorch(const std::string& python) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path();
  const std::string path = (folder / ("regimen-schedules-" + std::to_string(::getpid()))).string();
  const std::string script = (std::filesystem::path(__FILE__).parent_path() / "schedules.py").string();
  std::map<std::string, std::vector<double>> values;
  REQUIRE(std::system(("'" + python + "' '" + script + "' '" + path + "'").c_str()) == 0);
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    for (double value = 0; words >> value;) {
      values[name].push_back(value);
    }
  }
  std::filesystem::remove(path);
  return values;
}

}  // namespace

TEST_CASE("every schedule that PyTorch has too says what PyTorch says, at every step") {
  const std::optional<std::string> python = python_with_torch();
  if (!python) {
    return;
  }
  const auto expected = values_of_pytorch(*python);
  // PyTorch counts a cycle of T steps from the first to the last.
  constexpr double cycle = steps - 1;
  const auto rise = [](double share) { return (share * steps - 1) / cycle; };
  const std::map<std::string, rg::Knob> ours = {
      {"StepLR", rg::PeriodicDecay{.epochs = 3, .factor = 0.3}},
      {"MultiStepLR", rg::StepDecay{{2, 5, 11}, 0.3}},
      {"ConstantLR", rg::Piecewise{{{0, 0.5}, {5, 1}}, rg::Between::jump}},
      {"LinearLR", rg::LinearDecay{.epochs = 7, .from = 0.25, .to = 0.75}},
      {"ExponentialLR", rg::ExponentialDecay{.factor = 0.9}},
      {"PolynomialLR", rg::PolynomialDecay{.epochs = 7, .power = 2.5}},
      {"CosineAnnealingLR", rg::Cosine{.epochs = steps, .floor = 0.1}},
      {"CosineAnnealingWarmRestarts", rg::CosineRestarts{.epochs = 5, .floor = 0.1}},
      {"CosineAnnealingWarmRestarts2", rg::CosineRestarts{.epochs = 3, .growth = 2}},
      {"SequentialLR",
       rg::Concatenation{{{rg::LinearWarmup{.epochs = 4, .start = 0.25}, 4}, {rg::ExponentialDecay{.factor = 0.9}}}}},
      {"ChainedScheduler", rg::Piecewise{{{0, 0.5}, {5, 1}}, rg::Between::jump} * rg::ExponentialDecay{.factor = 0.9}},
      {"LambdaLR", [](const rg::Clock& clock) { return 1 / (1 + clock.position()); }},
      {"OneCycleLR", rg::OneCycle{.epochs = cycle, .rise = rise(0.3)}},
      {"OneCycleLR_momentum",
       rg::OneCycle{.epochs = cycle, .rise = rise(0.3), .start = 0.95, .peak = 0.85, .end = 0.95}},
      {"OneCycleLR_linear",
       rg::OneCycle{.epochs = cycle, .rise = rise(0.4), .start = 0.1, .end = 1e-3, .between = rg::Between::line}},
      {"OneCycleLR_three",
       rg::Piecewise{{{0, 0.04}, {0.3 * steps - 1, 1}, {0.6 * steps - 2, 0.04}, {cycle, 4e-6}}, rg::Between::cosine}},
  };
  for (const auto& [name, schedule] : ours) {
    CAPTURE(name);
    REQUIRE(expected.count(name) == 1);
    const std::vector<double>& values = expected.at(name);
    REQUIRE(values.size() == steps);
    // Once as epochs, once as steps.
    const rg::Knob in_steps = rg::InSteps{schedule};
    for (int step = 0; step < steps; ++step) {
      CAPTURE(step);
      const double value = values[static_cast<std::size_t>(step)];
      CHECK(schedule(at_epoch(step)) == Approx(value).epsilon(1e-12).margin(1e-15));
      rg::Clock clock = at_batch(step / 4, step % 4, 4);
      clock.step = step;
      CHECK(in_steps(clock) == Approx(value).epsilon(1e-12).margin(1e-15));
    }
  }

  const auto check_plateau = [&](const std::string& name, const rg::PlateauDecay& schedule,
                                 const rg::History& history) {
    CAPTURE(name);
    const std::vector<double>& values = expected.at(name);
    REQUIRE(values.size() == history.size());
    for (std::size_t n = 1; n <= history.size(); ++n) {
      CAPTURE(n);
      CHECK(schedule(at_epoch(static_cast<int>(n)), first(history, n)) == Approx(values[n - 1]).epsilon(1e-12));
    }
  };
  check_plateau("ReduceLROnPlateau",
                {.factor = 0.5, .patience = 1, .by = 0.05, .floor = 0.01, .relative = true, .cooldown = 2},
                history_of(rg::Metric::fit_loss, losses));
  rg::History accuracies = history_of(rg::Metric::fit_accuracy, losses);
  for (rg::Epoch& epoch : accuracies.epochs) {
    epoch.fit.accuracy = 1 - epoch.fit.accuracy / 128;
  }
  check_plateau("ReduceLROnPlateau_max",
                {.factor = 0.3, .patience = 2, .metric = rg::Metric::fit_accuracy, .by = 0.02, .relative = true},
                accuracies);
  CHECK(expected.size() == ours.size() + 2);
}
