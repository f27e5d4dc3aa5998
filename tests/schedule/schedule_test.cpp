#include "regimen/schedule.hpp"

#include <cmath>
#include <concepts>
#include <string>
#include <vector>

#include "support/histories.hpp"
#include "support/numbers.hpp"

using regimen::Clock;
using regimen::Constant;
using regimen::Cosine;
using regimen::Epoch;
using regimen::History;
using regimen::Knob;
using regimen::LinearWarmup;
using regimen::Metric;
using regimen::PlateauDecay;
using regimen::Product;
using regimen::StepDecay;
using regimen::unknown;

namespace {

const double pi = std::acos(-1.0);
/// What the schedule says after each epoch of the history, as `run` asks it.
std::vector<double> trace(const Knob& knob, const History& history) {
  std::vector<double> values;
  for (std::size_t n = 1; n <= history.size(); ++n) {
    values.push_back(knob(at_epoch(static_cast<int>(n)), first(history, n)));
  }
  return values;
}

/// A schedule of a user's, with a field out of bounds at negative values.
struct Half {
  double of = 1;

  void check() const { regimen::detail::require(of >= 0, "Half.of", "at least 0", of); }
  double operator()(const Clock& /*clock*/) const { return of / 2; }
};

}  // namespace

TEST_CASE("a schedule is whatever is callable with the clock, or with the clock and the history") {
  const auto of_clock = [](const Clock& clock) { return clock.epoch; };
  const auto of_both = [](const Clock&, const History& history) { return history.size(); };
  const auto of_neither = [](std::string) { return 1.0; };
  CHECK(regimen::Schedule<Constant>);
  CHECK(regimen::Schedule<StepDecay>);
  CHECK(regimen::Schedule<PlateauDecay>);
  CHECK(regimen::Schedule<Product>);
  CHECK(regimen::Schedule<Knob>);
  CHECK(regimen::Schedule<decltype(of_clock)>);
  CHECK(regimen::Schedule<decltype(of_both)>);
  CHECK(!regimen::Schedule<decltype(of_neither)>);
  CHECK(!regimen::Schedule<double>);
}

TEST_CASE("a constant is the same at all times") {
  CHECK(Constant{}(at_epoch(0)) == 1);
  for (int epoch = 0; epoch < 5; ++epoch) {
    CHECK(Constant{.value = 0.3}(at_epoch(epoch)) == 0.3);
  }
}

TEST_CASE("step decay multiplies by the factor at each of its epochs") {
  const StepDecay decay{{2, 4, 5}, 0.5};
  const std::vector<double> expected = {1, 1, 0.5, 0.5, 0.25, 0.125, 0.125};
  for (int epoch = 0; epoch < 7; ++epoch) {
    CAPTURE(epoch);
    CHECK(decay(at_epoch(epoch)) == expected[static_cast<std::size_t>(epoch)]);
    CHECK(decay(at_batch(epoch, 9, 10)) == expected[static_cast<std::size_t>(epoch)]);  // within an epoch it stays
  }
  CHECK(StepDecay{.at = {0}, .factor = 0.5}(at_epoch(0)) == 0.5);
  CHECK(StepDecay{.at = {}}(at_epoch(100)) == 1);
  CHECK(StepDecay{.at = {4, 2}, .factor = 0.5}(at_epoch(3)) == 0.5);  // in any order
}

TEST_CASE("a cosine follows its formula at every batch") {
  const Cosine cosine{.epochs = 4, .floor = 0.2};
  for (int epoch = 0; epoch < 4; ++epoch) {
    for (int batch = 0; batch < 5; ++batch) {
      const double progress = (epoch + batch / 5.0) / 4;
      CAPTURE(epoch, batch);
      CHECK(cosine(at_batch(epoch, batch, 5)) == Approx(0.2 + 0.8 * (1 + std::cos(pi * progress)) / 2).epsilon(1e-14));
    }
  }
  CHECK(cosine(at_epoch(0)) == 1);
  CHECK(cosine(at_epoch(2)) == Approx(0.6));
  CHECK(cosine(at_epoch(4)) == Approx(0.2).epsilon(1e-14));
  CHECK(cosine(at_epoch(400)) == Approx(0.2).epsilon(1e-14));
  CHECK(Cosine{.epochs = 10}(at_epoch(10)) == 0);
}

TEST_CASE("a cosine without batches moves once an epoch") {
  const Cosine cosine{.epochs = 4};
  CHECK(cosine(at_batch(1, 3, 0)) == cosine(at_epoch(1)));
}

TEST_CASE("a warmup rises in a straight line and stays at one") {
  const LinearWarmup warmup{.epochs = 2.5, .start = 0.1};
  for (int epoch = 0; epoch < 5; ++epoch) {
    for (int batch = 0; batch < 4; ++batch) {
      const double position = epoch + batch / 4.0;
      CAPTURE(position);
      const double expected = position < 2.5 ? 0.1 + 0.9 * position / 2.5 : 1.0;
      CHECK(warmup(at_batch(epoch, batch, 4)) == Approx(expected).epsilon(1e-14));
    }
  }
  CHECK(warmup(at_epoch(0)) == 0.1);
  CHECK(LinearWarmup{}(at_epoch(0)) == 0);
  CHECK(LinearWarmup{}(at_epoch(1)) == 1);
}

TEST_CASE("a warmup may take a fraction of an epoch") {
  const LinearWarmup warmup{.epochs = 0.5};
  const double expected[] = {0, 0.25, 0.5, 0.75, 1, 1, 1, 1};
  for (int batch = 0; batch < 8; ++batch) {
    CHECK(warmup(at_batch(0, batch, 8)) == expected[batch]);
  }
}

TEST_CASE("a product multiplies at every batch, whatever its parts and however many") {
  const LinearWarmup warmup{.epochs = 2};
  const Cosine cosine{.epochs = 6};
  const StepDecay decay{{3}, 0.5};
  const auto product = warmup * cosine * decay * 0.1;
  const auto turned = 0.1 * (decay * (cosine * warmup));
  for (int epoch = 0; epoch < 7; ++epoch) {
    for (int batch = 0; batch < 3; ++batch) {
      const Clock clock = at_batch(epoch, batch, 3);
      const double expected = warmup(clock) * cosine(clock) * decay(clock) * 0.1;
      CAPTURE(epoch, batch);
      CHECK(product(clock) == Approx(expected).epsilon(1e-14));
      CHECK(turned(clock) == Approx(expected).epsilon(1e-14));
      CHECK(Knob(product)(clock) == product(clock));
    }
  }
}

TEST_CASE("numbers of any type, knobs and lambdas in knobs multiply too") {
  const Clock clock = at_epoch(3);
  const auto doubling = [](const Clock& now) { return std::pow(2.0, now.epoch); };
  CHECK((Knob(doubling) * 3)(clock) == 24);
  CHECK((3 * Knob(doubling))(clock) == 24);
  CHECK((0.5F * Constant{.value = 4})(clock) == 2);
  CHECK((Knob(2) * Knob(3))(clock) == 6);
  CHECK((Half{.of = 8} * Constant{.value = 2})(clock) == 8);
  CHECK(std::same_as<decltype(Constant{} * Constant{}), Product>);
}

TEST_CASE("a product hands the history on to its parts") {
  const PlateauDecay decay{.factor = 0.5, .patience = 0};
  const History history = history_of(Metric::fit_loss, {1.0, 1.0, 1.0});
  const auto product = 8 * (decay * Constant{});
  CHECK(product({}, history) == 2);
  CHECK(Knob(product)({}, history) == 2);
  CHECK(Knob(Knob(product) * 2)({}, history) == 4);
}

TEST_CASE("a number is a knob that never changes") {
  CHECK(Knob()({}) == 0);
  CHECK(Knob(0.25)(at_epoch(7)) == 0.25);
  CHECK(Knob(3)({}) == 3);
  CHECK(Knob(0.25).constant());
  CHECK(!Knob(Constant{.value = 0.25}).constant());
}

TEST_CASE("a lambda is a knob, of the clock or of the clock and the history") {
  const Knob of_clock = [](const Clock& clock) { return clock.epoch * 2; };
  CHECK(of_clock(at_epoch(3)) == 6);
  CHECK(!of_clock.constant());

  const Knob of_both = [](const Clock& clock, const History& history) {
    return static_cast<double>(clock.epoch) + static_cast<double>(history.size()) / 4;
  };
  CHECK(of_both(at_epoch(3), history_of(Metric::fit_loss, {1.0})) == 3.25);
  CHECK(of_both(at_epoch(3)) == 3);
  CHECK(of_both.metrics().empty());
}

TEST_CASE("a schedule whose history has a default is given the history") {
  struct Epochs {
    double operator()(const Clock& /*clock*/, const History& history = {}) const {
      return static_cast<double>(history.size());
    }
  };
  CHECK(Knob(Epochs{})({}, history_of(Metric::fit_loss, {1.0, 1.0})) == 2);
}

TEST_CASE("a copy of a knob says the same") {
  const Knob knob = Cosine{.epochs = 3} * 2;
  const Knob copy = knob;
  for (int epoch = 0; epoch < 4; ++epoch) {
    CHECK(knob(at_epoch(epoch)) == copy(at_epoch(epoch)));
  }
}

TEST_CASE("plateau decay waits for its patience, decays and begins to count anew") {
  // By hand: best 1, then 0.5; bad 1, 2 (no decay yet), 3: decay, and the count is 0 again; 0.45 is no improvement by
  // 0.1, 0.3 is one; after it three bad ones decay again.
  const PlateauDecay decay{.factor = 0.1, .patience = 2, .by = 0.1};
  const History history = history_of(Metric::fit_loss, {1.0, 0.5, 0.5, 0.6, 0.45, 0.45, 0.45, 0.3, 0.3, 0.3, 0.3, 0.3});
  const std::vector<double> expected = {1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01};
  const std::vector<double> values = trace(decay, history);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(values[i] == Approx(expected[i]).epsilon(1e-14));
  }
}

// What PyTorch 1.13.1 says, with a rate of 1 at first:
//     scheduler = ReduceLROnPlateau(SGD([parameter], lr=1.0), mode=..., factor=..., patience=..., threshold=...,
//                                   threshold_mode='abs', cooldown=0, min_lr=..., eps=0)
//     for value in values: scheduler.step(value); print(optimizer.param_groups[0]['lr'])
TEST_CASE("plateau decay is PyTorch's ReduceLROnPlateau: losses, with a floor") {
  const History history =
      history_of(Metric::fit_loss, {1.0, 0.8,  0.7,  0.7,  0.6995, 0.71, 0.65, 0.65, 0.66, 0.64999, 0.649, 0.6495,
                                    0.6, 0.61, 0.62, 0.63, 0.64,   0.65, 0.5,  0.5,  0.5,  0.5,     0.5,   0.5});
  const PlateauDecay decay{.factor = 0.5, .patience = 2, .by = 1e-3, .floor = 0.1};
  CHECK(trace(decay, history) == std::vector<double>{1.0,   1.0,   1.0,   1.0,   1.0,   0.5,  0.5,  0.5,
                                                     0.5,   0.25,  0.25,  0.25,  0.25,  0.25, 0.25, 0.125,
                                                     0.125, 0.125, 0.125, 0.125, 0.125, 0.1,  0.1,  0.1});
}

TEST_CASE("plateau decay is PyTorch's ReduceLROnPlateau: losses, without patience") {
  const History history = history_of(Metric::validation_loss,
                                     {1.0, 0.8,  0.7,  0.7,  0.6995, 0.71, 0.65, 0.65, 0.66, 0.64999, 0.649, 0.6495,
                                      0.6, 0.61, 0.62, 0.63, 0.64,   0.65, 0.5,  0.5,  0.5,  0.5,     0.5,   0.5});
  const PlateauDecay decay{.factor = 0.5, .patience = 0, .metric = Metric::validation_loss, .by = 0};
  CHECK(trace(decay, history) == std::vector<double>{1.0,
                                                     1.0,
                                                     1.0,
                                                     0.5,
                                                     0.5,
                                                     0.25,
                                                     0.25,
                                                     0.125,
                                                     0.0625,
                                                     0.0625,
                                                     0.0625,
                                                     0.03125,
                                                     0.03125,
                                                     0.015625,
                                                     0.0078125,
                                                     0.00390625,
                                                     0.001953125,
                                                     0.0009765625,
                                                     0.0009765625,
                                                     0.00048828125,
                                                     0.000244140625,
                                                     0.0001220703125,
                                                     6.103515625e-05,
                                                     3.0517578125e-05});
}

TEST_CASE("plateau decay is PyTorch's ReduceLROnPlateau: accuracies") {
  const History history = history_of(Metric::clean_accuracy, {0.1, 0.3, 0.5, 0.5, 0.49, 0.505, 0.51, 0.51, 0.515, 0.52,
                                                              0.53, 0.53, 0.52, 0.51, 0.53, 0.53});
  const PlateauDecay decay{.factor = 0.1, .patience = 1, .metric = Metric::clean_accuracy, .by = 1e-2};
  CHECK(trace(decay, history) == std::vector<double>{1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.010000000000000002,
                                                     0.010000000000000002, 0.010000000000000002, 0.010000000000000002,
                                                     0.010000000000000002, 0.010000000000000002, 0.0010000000000000002,
                                                     0.0010000000000000002, 0.00010000000000000003,
                                                     0.00010000000000000003});
}

TEST_CASE("plateau decay is PyTorch's ReduceLROnPlateau: a loss that is not a number does not improve") {
  const PlateauDecay decay{.factor = 0.5, .patience = 1, .by = 0};
  CHECK(trace(decay, history_of(Metric::fit_loss, {1.0, 0.9, unknown, unknown, 0.8, 0.8, 0.8, 0.8})) ==
        std::vector<double>{1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25});
  CHECK(trace(decay, history_of(Metric::fit_loss, {unknown, unknown, 0.9, 0.8, 0.8, 0.8})) ==
        std::vector<double>{1.0, 0.5, 0.5, 0.5, 0.5, 0.25});
}

TEST_CASE("plateau decay counts scorings, not epochs") {
  const PlateauDecay decay{.factor = 0.5, .patience = 1};
  const History sparse = history_of(Metric::fit_loss, {{}, 1.0, {}, {}, {}, 1.0, {}, {}, 1.0, {}});
  CHECK(trace(decay, sparse) == std::vector<double>{1, 1, 1, 1, 1, 1, 1, 1, 0.5, 0.5});
  CHECK(decay({}, History{}) == 1);
  CHECK(decay({}, history_of(Metric::test_loss, {1.0, 1.0, 1.0, 1.0, 1.0})) == 1);  // another metric
}

TEST_CASE("asking a schedule twice, or about a copy, gives the same") {
  const Knob knob = PlateauDecay{.factor = 0.5, .patience = 0} * Cosine{.epochs = 9};
  const History history = history_of(Metric::fit_loss, {1.0, 1.0, 0.5, 0.6});
  const double once = knob(at_epoch(4), history);
  (void)knob(at_epoch(1), first(history, 1));
  CHECK(knob(at_epoch(4), history) == once);
  CHECK(knob(at_epoch(4), History(history)) == once);
}

TEST_CASE("a knob names the metrics that any part of it reads") {
  using Metrics = std::vector<Metric>;
  CHECK(Knob(0.1).metrics().empty());
  CHECK(Knob(Cosine{.epochs = 3}).metrics().empty());
  CHECK(Knob(PlateauDecay{}).metrics() == Metrics{Metric::fit_loss});
  const PlateauDecay on_test{.metric = Metric::test_loss};
  CHECK(Knob(Cosine{.epochs = 3} * PlateauDecay{} * (0.5 * on_test)).metrics() ==
        Metrics{Metric::fit_loss, Metric::test_loss});
}

TEST_CASE("a schedule out of bounds is an Error that names the field, as soon as it becomes a knob") {
  const auto error = [](auto schedule) { return error_of([&] { (void)Knob(schedule); }); };
  CHECK(error(StepDecay{{1}, 0}) == "StepDecay.factor must be above 0 and finite, but is 0");
  CHECK(error(StepDecay{{1}, -0.5}) == "StepDecay.factor must be above 0 and finite, but is -0.5");
  CHECK(error(StepDecay{{1}, unknown}) == "StepDecay.factor must be above 0 and finite, but is nan");
  CHECK(error(StepDecay{{1}, 2}).empty());
  CHECK(error(Cosine{}) == "Cosine.epochs must be above 0, but is 0");
  CHECK(error(Cosine{.epochs = -1}) == "Cosine.epochs must be above 0, but is -1");
  CHECK(error(Cosine{.epochs = unknown}) == "Cosine.epochs must be above 0, but is nan");
  CHECK(error(Cosine{.epochs = 1, .floor = -0.1}) == "Cosine.floor must be in [0, 1], but is -0.1");
  CHECK(error(Cosine{.epochs = 1, .floor = 1.5}) == "Cosine.floor must be in [0, 1], but is 1.5");
  CHECK(error(Cosine{.epochs = 0.5, .floor = 1}).empty());
  CHECK(error(LinearWarmup{.epochs = 0}) == "LinearWarmup.epochs must be above 0, but is 0");
  CHECK(error(LinearWarmup{.start = -1}) == "LinearWarmup.start must be in [0, 1], but is -1");
  CHECK(error(LinearWarmup{.start = 2}) == "LinearWarmup.start must be in [0, 1], but is 2");
  CHECK(error(LinearWarmup{.epochs = 0.5, .start = 1}).empty());
  CHECK(error(PlateauDecay{.factor = 0}) == "PlateauDecay.factor must be in (0, 1), but is 0");
  CHECK(error(PlateauDecay{.factor = 1}) == "PlateauDecay.factor must be in (0, 1), but is 1");
  CHECK(error(PlateauDecay{.patience = -1}) == "PlateauDecay.patience must be at least 0, but is -1");
  CHECK(error(PlateauDecay{.by = -1e-3}) == "PlateauDecay.by must be at least 0, but is -0.001");
  CHECK(error(PlateauDecay{.floor = -1}) == "PlateauDecay.floor must be in [0, 1], but is -1");
  CHECK(error(PlateauDecay{.floor = 1.25}) == "PlateauDecay.floor must be in [0, 1], but is 1.25");
  CHECK(error(PlateauDecay{.patience = 0, .by = 0}).empty());
  CHECK(error(Half{.of = -2}) == "Half.of must be at least 0, but is -2");
}

TEST_CASE("a product checks its parts when it is written") {
  CHECK(error_of([] { (void)(Cosine{} * 2); }) == "Cosine.epochs must be above 0, but is 0");
  CHECK(error_of([] { (void)(0.1 * (Constant{} * LinearWarmup{.epochs = -3})); }) ==
        "LinearWarmup.epochs must be above 0, but is -3");
}

/// A part of somebody's own: one knob that names itself, one that is named by the struct.
struct Pull {
  regimen::NotNegative<"Pull.strength"> strength = 0.1;
  regimen::Share<> share = 0.5;
};

TEST_CASE("a field with a range is checked with its part, by name") {
  const auto error = [](Pull part) { return error_of([&] { regimen::detail::check_fields(part); }); };
  CHECK(error({}).empty());
  CHECK(error({.strength = -1}) == "Pull.strength must be at least 0 and finite, but is -1");
  CHECK(error({.share = 2}) == "Pull.share must be in [0, 1], but is 2");
  CHECK(error({.strength = Constant{.value = -1}}).empty());  // a schedule: whenever it is read
}

TEST_CASE("a field with a range keeps the name of the part that it was checked in") {
  Pull part{.share = Constant{.value = 2}};
  CHECK(part.share.bounds().field == "a knob");
  regimen::detail::check_fields(part);
  CHECK(part.share.bounds().field == "Pull.share");
  CHECK(error_of([&] { part.share.bounds().check(part.share({})); }) == "Pull.share must be in [0, 1], but is 2");
}

TEST_CASE("a field with a range is made of numbers, schedules, knobs and other ranges") {
  const Knob plain = Constant{.value = 3};
  const regimen::Positive<> of_knob = plain;
  CHECK(of_knob({}) == 3);
  const regimen::Share<> other = regimen::NotNegative<"a">(0.25);
  CHECK(other({}) == 0.25);
  CHECK(regimen::manifest(other) == "0.25");
  CHECK(error_of([&] { regimen::Share<>(of_knob).check(); }).empty());
  CHECK(error_of([] { regimen::OpenShare<"m">(1).check(); }) == "m must be in (0, 1), but is 1");
  CHECK(error_of([] { regimen::Positive<"p">(0).check(); }) == "p must be above 0, but is 0");
  CHECK(error_of([] { regimen::Positive<"p">(unknown).check(); }) == "p must be above 0, but is nan");
}

TEST_CASE("a constant strength is checked against its range at once, a schedule is not") {
  const auto error = [](const Knob& knob) {
    return error_of([&] { regimen::Bounds::share("A.fraction").check(knob); });
  };
  CHECK(error(1.5) == "A.fraction must be in [0, 1], but is 1.5");
  CHECK(error(-0.5) == "A.fraction must be in [0, 1], but is -0.5");
  CHECK(error(unknown) == "A.fraction must be in [0, 1], but is nan");
  CHECK(error(0).empty());
  CHECK(error(1).empty());
  CHECK(error(Constant{.value = 2}).empty());
}
