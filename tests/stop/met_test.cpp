#include "support/numbers.hpp"

#include <cmath>
#include <vector>

#include <regimen/stop.hpp>
#include "support/errors.hpp"

namespace met_test {

namespace {

namespace rg = regimen;

rg::History losses(const std::vector<double>& values) {
  rg::History history;
  for (const double value : values) {
    history.epochs.emplace_back().clock.epoch = static_cast<int>(history.epochs.size());
    history.epochs.back().fit = {.accuracy = 1 - value, .loss = value, .samples = 10};
  }
  return history;
}

TEST_CASE("first_met: the epoch after which a phase would have ended", "[stop]") {
  const rg::History history = losses({1, 0.6, 0.5, 0.499, 0.3, 0.2, 0.2, 0.1});
  const rg::Stop plateau = rg::Patience{.scorings = 1, .metric = rg::Metric::fit_loss, .by = 0.01, .relative = true};
  CHECK(rg::first_met(plateau, history) == 3U);  // 0.499 is the first that falls by less than a hundredth
  CHECK(rg::first_met(rg::FitReaches{0.8}, history) == 5U);
  CHECK(rg::first_met(rg::FitReaches{.accuracy = 0.8, .hold = 3}, history) == 7U);
}

TEST_CASE("first_met: a criterion that is met again and again counts once, at its first time", "[stop]") {
  CHECK(rg::first_met([](const rg::Epoch& epoch) { return epoch.fit.loss < 0.55; }, losses({0.5, 1, 0.5})) == 0U);
}

TEST_CASE("first_met: none for a criterion that is never met, for no criterion and for no epochs", "[stop]") {
  CHECK_FALSE(rg::first_met(rg::FitReaches{1}, losses({0.5, 0.4})).has_value());
  CHECK_FALSE(rg::first_met(rg::Stop{}, losses({0.5, 0.4})).has_value());
  CHECK_FALSE(rg::first_met(rg::FitReaches{1}, {}).has_value());
}

TEST_CASE("first_met: a criterion sees no epoch after the one it is asked at", "[stop]") {
  std::size_t calls = 0;
  const auto sees = [&calls](const rg::History& history) {
    ++calls;
    CHECK(history.size() == calls);
    return history.size() == 3;
  };
  CHECK(rg::first_met(rg::Stop(sees), losses({4, 3, 2, 1})) == 2U);
  CHECK(calls == 3);
}

TEST_CASE("first_met: a criterion that reads what no epoch has is an error, and so are two phases", "[stop]") {
  rg::History history = losses({0.5, 0.4});
  check_error([&] { (void)rg::first_met(rg::MeasureExceeds{.measure = "distanse", .bound = 1}, history); },
              {"first_met", "the measure \"distanse\", which no epoch has"});
  check_error([&] { (void)rg::first_met(rg::Patience{.metric = rg::Metric::validation_loss}, history); },
              {"reads validation_loss, which no epoch has"});
  history.epochs.back().clock.phase = 1;
  check_error([&] { (void)rg::first_met(rg::FitReaches{0.1}, history); },
              {"first_met", "that of the first, 0", "of_phase"});
}

TEST_CASE("value_of: a measure of an epoch, NaN if it was not taken", "[stop]") {
  rg::Epoch epoch;
  epoch.measures["distance"] = 3.5;
  CHECK(rg::value_of(epoch, "distance") == 3.5);
  CHECK(std::isnan(rg::value_of(epoch, "norm")));
}

}  // namespace

}  // namespace met_test
