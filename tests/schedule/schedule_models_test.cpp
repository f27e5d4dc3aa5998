// Every schedule against its formula, at every batch of a small run.

#include "regimen/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "support/histories.hpp"
#include "support/numbers.hpp"

using regimen::Between;
using regimen::Clock;
using regimen::Concatenation;
using regimen::Constant;
using regimen::Cooldown;
using regimen::Cosine;
using regimen::CosineRestarts;
using regimen::Epoch;
using regimen::ExponentialDecay;
using regimen::History;
using regimen::HistoryView;
using regimen::InSteps;
using regimen::InverseSquareRoot;
using regimen::Knob;
using regimen::LinearDecay;
using regimen::LinearWarmup;
using regimen::Metric;
using regimen::OneCycle;
using regimen::PeriodicDecay;
using regimen::Piecewise;
using regimen::PlateauDecay;
using regimen::PolynomialDecay;
using regimen::StepDecay;
using regimen::unknown;
using regimen::WarmupStableDecay;

namespace {

const double pi = std::acos(-1.0);

/// Compares with a formula of the position, at every batch of `epochs` epochs of 8 batches: eighths are exact.
void check_follows(const Knob& schedule, const std::function<double(double)>& formula, int epochs = 24) {
  for (int epoch = 0; epoch < epochs; ++epoch) {
    for (int batch = 0; batch < 8; ++batch) {
      const double position = epoch + batch / 8.0;
      CAPTURE(position);
      CHECK(schedule(at_batch(epoch, batch, 8)) == Approx(formula(position)).epsilon(1e-13).margin(1e-15));
    }
  }
}

double half_cosine(double progress) {
  return (1 + std::cos(pi * progress)) / 2;
}

}  // namespace

TEST_CASE("a constant, step decay, a cosine, a warm-up and a product at every batch") {
  check_follows(Constant{.value = 0.3}, [](double) { return 0.3; });
  check_follows(StepDecay{{2, 5, 11}, 0.3}, [](double t) { return t < 2 ? 1 : t < 5 ? 0.3 : t < 11 ? 0.09 : 0.027; });
  check_follows(Cosine{.epochs = 18.5, .floor = 0.1},
                [](double t) { return t < 18.5 ? 0.1 + 0.9 * half_cosine(t / 18.5) : 0.1; });
  check_follows(LinearWarmup{.epochs = 4.5, .start = 0.2},
                [](double t) { return t < 4.5 ? 0.2 + 0.8 * t / 4.5 : 1.0; });
  check_follows(LinearWarmup{.epochs = 4} * StepDecay{{6}, 0.5} * 0.1,
                [](double t) { return 0.1 * std::min(t / 4, 1.0) * (t < 6 ? 1 : 0.5); });
}

TEST_CASE("plateau decay at every batch stays what the epochs before say") {
  // No improvement: a decay after 3, 5, 7, ... scorings.
  const Knob schedule = PlateauDecay{.factor = 0.5, .patience = 1, .floor = 0.1};
  const History flat = history_of(Metric::fit_loss, {1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0});
  for (int epoch = 0; epoch <= 10; ++epoch) {
    for (int batch = 0; batch < 8; ++batch) {
      CAPTURE(epoch, batch);
      const double expected = std::max(std::pow(0.5, epoch < 1 ? 0 : (epoch - 1) / 2), 0.1);
      CHECK(schedule(at_batch(epoch, batch, 8), first(flat, static_cast<std::size_t>(epoch))) == expected);
    }
  }
}

TEST_CASE("periodic decay multiplies after every period, and stays within an epoch") {
  check_follows(PeriodicDecay{.epochs = 5, .factor = 0.3},
                [](double t) { return std::pow(0.3, std::floor(std::floor(t) / 5)); });
  CHECK(PeriodicDecay{.epochs = 5, .factor = 0.3}(at_epoch(4)) == 1);
  CHECK(PeriodicDecay{.epochs = 5, .factor = 0.3}(at_epoch(5)) == 0.3);
}

TEST_CASE("exponential decay is a power of the position") {
  check_follows(ExponentialDecay{.factor = 0.9}, [](double t) { return std::exp(t * std::log(0.9)); });
  CHECK(ExponentialDecay{.factor = 0.9}(at_epoch(0)) == 1);
  CHECK(ExponentialDecay{.factor = 0.5}(at_epoch(3)) == 0.125);
}

TEST_CASE("linear decay is a straight line, then stays") {
  check_follows(LinearDecay{.epochs = 10.5, .from = 0.25, .to = 2},
                [](double t) { return t < 10.5 ? 0.25 + 1.75 * t / 10.5 : 2.0; });
  CHECK(LinearDecay{.epochs = 10}(at_epoch(0)) == 1);
  CHECK(LinearDecay{.epochs = 10}(at_epoch(10)) == 0);
}

TEST_CASE("polynomial decay is a power of what is left") {
  for (const double power : {0.5, 0.9, 1.0, 2.0, 5.0}) {
    CAPTURE(power);
    check_follows(PolynomialDecay{.epochs = 16, .power = power, .floor = 0.1},
                  [=](double t) { return t < 16 ? 0.1 + 0.9 * std::pow((16 - t) / 16, power) : 0.1; });
  }
  CHECK(PolynomialDecay{.epochs = 16}(at_epoch(0)) == 1);
  CHECK(PolynomialDecay{.epochs = 16}(at_epoch(8)) == 0.25);
}

TEST_CASE("a cosine restarts after every period; each is longer than the last by the growth") {
  check_follows(CosineRestarts{.epochs = 5, .floor = 0.1},
                [](double t) { return 0.1 + 0.9 * half_cosine(std::fmod(t, 5) / 5); });
  // 3, then 6, then 12: restarts at 3, 9, 21.
  check_follows(CosineRestarts{.epochs = 3, .growth = 2}, [](double t) {
    const double begin = t < 3 ? 0 : t < 9 ? 3 : t < 21 ? 9 : 21;
    const double length = t < 3 ? 3 : t < 9 ? 6 : t < 21 ? 12 : 24;
    return half_cosine((t - begin) / length);
  });
  CHECK(CosineRestarts{.epochs = 3, .growth = 2}(at_epoch(9)) == 1);
  CHECK(CosineRestarts{.epochs = 1e-3}(at_epoch(1 << 30)) >= 0);  // ends
}

TEST_CASE("the inverse square root warms up, meets 1 and falls") {
  check_follows(InverseSquareRoot{.warmup = 4, .start = 0.2},
                [](double t) { return t < 4 ? 0.2 + 0.8 * t / 4 : 2 / std::sqrt(t); });
  CHECK(InverseSquareRoot{.warmup = 4}(at_epoch(0)) == 0);
  CHECK(InverseSquareRoot{.warmup = 4}(at_epoch(4)) == 1);
  CHECK(InverseSquareRoot{.warmup = 4}(at_epoch(16)) == 0.5);
}

TEST_CASE("the inverse square root in steps is the Transformer's rate") {
  // Attention is all you need, eq. 3: d^-0.5 min(step^-0.5, step warmup^-1.5), counted from step 1.
  constexpr double d = 512;
  constexpr double warmup = 40;
  const InSteps schedule{InverseSquareRoot{.warmup = warmup}};
  const double greatest = 1 / std::sqrt(d * warmup);
  for (int step = 1; step < 200; ++step) {
    Clock clock = at_batch(step / 7, step % 7, 7);
    clock.step = step;
    const double published = std::min(std::pow(step, -0.5), step * std::pow(warmup, -1.5)) / std::sqrt(d);
    CHECK(greatest * schedule(clock) == Approx(published).epsilon(1e-13));
  }
}

TEST_CASE("warm-up, stable, decay: each in its time, and the three shapes of the end") {
  const auto formula = [](auto left) {
    return [=](double t) {
      return t < 4 ? 0.1 + 0.9 * t / 4 : t < 12 ? 1.0 : t < 20 ? 0.05 + 0.95 * left((t - 12) / 8) : 0.05;
    };
  };
  WarmupStableDecay schedule{.epochs = 20, .warmup = 4, .decay = 8, .start = 0.1, .floor = 0.05};
  check_follows(schedule, formula([](double p) { return 1 - p; }));
  schedule.shape = Cooldown::cosine;
  check_follows(schedule, formula(half_cosine));
  schedule.shape = Cooldown::square_root;
  check_follows(schedule, formula([](double p) { return 1 - std::sqrt(p); }));

  const WarmupStableDecay neither{.epochs = 20};
  CHECK(neither(at_epoch(0)) == 1);
  CHECK(neither(at_batch(19, 7, 8)) == 1);
}

TEST_CASE("a warm-up and a decay that fill all epochs meet, whatever their sum is rounded to") {
  for (int tenths = 1; tenths < 30; ++tenths) {
    const WarmupStableDecay full{.epochs = 3, .warmup = tenths / 10.0, .decay = (30 - tenths) / 10.0};
    CAPTURE(tenths);
    CHECK(error_of([&] { (void)Knob(full); }).empty());
  }
  const WarmupStableDecay rounded{.epochs = 0.3, .warmup = 0.1, .decay = 0.2};  // 0.1 + 0.2 > 0.3
  CHECK(error_of([&] { (void)Knob(rounded); }).empty());
  for (int batch = 0; batch < 40; ++batch) {
    const double t = batch / 40.0;
    CAPTURE(t);
    const double expected = t < 0.1 ? t / 0.1 : t < 0.3 ? 1 - (t - 0.1) / 0.2 : 0;
    CHECK(rounded(at_batch(0, batch, 40)) == Approx(expected).margin(1e-12));
  }
  CHECK(error_of([] { (void)Knob(WarmupStableDecay{.epochs = 0.3, .warmup = 0.1, .decay = 0.2001}); }) ==
        "WarmupStableDecay.decay must be at least 0, and with warmup at most epochs, but is 0.2001");
}

TEST_CASE("piecewise goes through its points, in jumps, lines or cosines") {
  const std::vector<Piecewise::Point> points = {{2, 0.5}, {6, 2}, {8.5, 0}};
  const auto formula = [](auto way) {
    return [=](double t) {
      return t < 2 ? 0.5 : t < 6 ? way(0.5, 2.0, (t - 2) / 4) : t < 8.5 ? way(2.0, 0.0, (t - 6) / 2.5) : 0.0;
    };
  };
  check_follows(Piecewise{points}, formula([](double a, double b, double p) { return a + (b - a) * p; }));
  check_follows(Piecewise{points, Between::jump}, formula([](double a, double, double) { return a; }));
  check_follows(Piecewise{points, Between::cosine},
                formula([](double a, double b, double p) { return b + (a - b) * half_cosine(p); }));
  CHECK(Piecewise{{{3, 0.7}}}(at_epoch(0)) == 0.7);
  CHECK(Piecewise{{{3, 0.7}}}(at_epoch(9)) == 0.7);
}

TEST_CASE("one cycle goes up to its peak and down to its end") {
  const OneCycle cycle{.epochs = 20, .rise = 0.25, .start = 0.1, .end = 0.001};
  check_follows(cycle, [](double t) {
    return t < 5 ? 1 + (0.1 - 1) * half_cosine(t / 5) : t < 20 ? 0.001 + 0.999 * half_cosine((t - 5) / 15) : 0.001;
  });
  OneCycle lines = cycle;
  lines.between = Between::line;
  check_follows(lines, [](double t) { return t < 5 ? 0.1 + 0.9 * t / 5 : t < 20 ? 1 - 0.999 * (t - 5) / 15 : 0.001; });
  CHECK(cycle(at_epoch(0)) == Approx(0.1));
  CHECK(cycle(at_epoch(5)) == Approx(1));
  CHECK(cycle(at_epoch(20)) == 0.001);
}

TEST_CASE("one cycle of momentum is lowest where that of the rate is highest") {
  const OneCycle momentum{.epochs = 20, .rise = 0.25, .start = 0.95, .peak = 0.85, .end = 0.95};
  check_follows(momentum, [](double t) {
    return t < 5 ? 0.85 + 0.1 * half_cosine(t / 5) : t < 20 ? 0.95 - 0.1 * half_cosine((t - 5) / 15) : 0.95;
  });
}

TEST_CASE("schedules one after another, each with its own clock from zero; the last goes on") {
  const Cosine cosine{.epochs = 6};
  const Knob joined = Concatenation{{{LinearWarmup{.epochs = 4}, 4}, {cosine, 6}, {0.25}}};
  check_follows(joined, [](double t) { return t < 4 ? t / 4 : t < 10 ? half_cosine((t - 4) / 6) : 0.25; });
  const Knob nested = Concatenation{{{Concatenation{{{Constant{1}, 2}, {Constant{2}}}}, 3}, {joined}}};
  check_follows(nested, [&](double t) {
    return t < 2 ? 1 : t < 3 ? 2 : joined(at_batch(static_cast<int>(t) - 3, std::lround(8 * (t - std::floor(t))), 8));
  });
}

TEST_CASE("a concatenation's part sees the scores since its own begin") {
  const PlateauDecay plateau{.factor = 0.5, .patience = 1};
  const Knob joined = Concatenation{{{Constant{}, 3}, {plateau * 8}}};
  // Without improvement from the first epoch on: alone it decays after three scorings, here three after epoch 3.
  const History history = history_of(Metric::fit_loss, {1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0});
  std::vector<double> values;
  for (int epoch = 0; epoch <= 8; ++epoch) {
    values.push_back(joined(at_epoch(epoch), first(history, static_cast<std::size_t>(epoch))));
  }
  CHECK(values == std::vector<double>{1, 1, 1, 8, 8, 8, 4, 4, 2});
  CHECK(joined.metrics() == std::vector<Metric>{Metric::fit_loss});
}

TEST_CASE("in steps and one after another, plateau decay counts the scorings since its own begin") {
  // Ten steps an epoch, and no improvement: with a patience of 1, a decay after 3, 5, 7, ... scorings of its own.
  History flat = history_of(Metric::fit_loss, {1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0});
  for (Epoch& epoch : flat.epochs) {
    epoch.clock.step = 10 * epoch.clock.epoch;
  }
  const PlateauDecay plateau{.factor = 0.5, .patience = 1};
  const auto after = [](int scorings) { return scorings < 1 ? 1.0 : std::pow(0.5, (scorings - 1) / 2); };
  const Knob in_steps = InSteps{plateau};
  const Knob joined_in_steps = InSteps{Concatenation{{{Constant{}, 35}, {plateau}}}};
  const Knob in_steps_joined = Concatenation{{{Constant{}, 2}, {InSteps{plateau}}}};
  const Knob nested = Concatenation{{{Constant{}, 2}, {InSteps{Concatenation{{{Constant{}, 45}, {plateau * 8}}}}}}};
  for (int epoch = 0; epoch <= 10; ++epoch) {
    CAPTURE(epoch);
    Clock clock = at_epoch(epoch);
    clock.step = 10 * epoch;
    const History seen = first(flat, static_cast<std::size_t>(epoch));
    CHECK(in_steps(clock, seen) == after(epoch));
    CHECK(joined_in_steps(clock, seen) == after(epoch - 3));  // after step 35: those at 40, 50, ...
    CHECK(in_steps_joined(clock, seen) == after(epoch - 2));
    CHECK(nested(clock, seen) == (epoch < 5 ? 1 : 8 * after(epoch - 4)));
  }
  CHECK(nested.metrics() == std::vector<Metric>{Metric::fit_loss});
}

TEST_CASE("a schedule in another one sees the scores of its part, by its own clock, and none is copied for a view") {
  History history = history_of(Metric::fit_loss, {1.0, 1.0, {}, 1.0, 1.0});
  for (Epoch& epoch : history.epochs) {
    epoch.clock.step = 10 * epoch.clock.epoch;
  }
  static std::vector<int> epochs;
  static const Epoch* begin = nullptr;
  struct Views {
    Metric metric = Metric::fit_loss;
    double operator()(const Clock& clock, const HistoryView& scores) const {
      epochs.clear();
      for (const Epoch& epoch : scores) {
        epochs.push_back(scores.clock_of(epoch).epoch);
      }
      begin = scores.empty() ? nullptr : &*scores.begin();
      return clock.epoch;
    }
  };
  struct Copies {
    Metric metric = Metric::fit_loss;
    double operator()(const Clock& clock, const History& scores) const {
      epochs.clear();
      for (const Epoch& epoch : scores) {
        epochs.push_back(epoch.clock.epoch);
      }
      begin = scores.empty() ? nullptr : &*scores.begin();
      return clock.epoch;
    }
  };
  const auto check = [&](const Knob& schedule, const std::vector<int>& seen, double value, const Epoch* where) {
    Clock clock = at_epoch(5);
    clock.step = 50;
    CHECK(schedule(clock, history) == value);
    CHECK(epochs == seen);
    if (where != nullptr) {
      CHECK(begin == where);
    }
  };
  const auto both = [&](auto schedule, bool whole) {
    const Epoch* const place = history.epochs.data();
    const Epoch* const own = whole ? place : nullptr;
    check(schedule, {1, 2, 3, 4, 5}, 5, place);
    check(Concatenation{{{schedule, 7}, {1}}}, {1, 2, 3, 4, 5}, 5, place);
    check(Concatenation{{{1, 2}, {schedule}}}, {1, 2, 3}, 3, whole ? place + 2 : nullptr);
    check(Concatenation{{{1, 5}, {schedule}}}, {}, 0, nullptr);
    check(InSteps{schedule}, {10, 20, 30, 40, 50}, 50, own);
    check(InSteps{Concatenation{{{1, 25}, {schedule}}}}, {5, 15, 25}, 25, whole ? place + 2 : nullptr);
    check(Concatenation{{{1, 1}, {Concatenation{{{1, 2}, {schedule}}}}}}, {1, 2}, 2, whole ? place + 3 : nullptr);
    check(Concatenation{{{1, 1}, {InSteps{Concatenation{{{1, 30}, {schedule}}}}}}}, {10, 20}, 20,
          whole ? place + 3 : nullptr);
  };
  both(Views{}, true);
  both(Copies{}, false);
}

TEST_CASE("a schedule of any history, a generic lambda, is given a history") {
  const History history = history_of(Metric::fit_loss, {1.0, 1.0, 1.0});
  const Knob lambda = [](const Clock&, const auto& scores) { return static_cast<double>(scores.epochs.size()); };
  CHECK(lambda(at_epoch(3), history) == 3);
  CHECK(lambda(at_epoch(3)) == 0);
  const Knob of_view = [](const Clock&, const HistoryView& scores) { return static_cast<double>(scores.size()); };
  CHECK(of_view(at_epoch(3), history) == 3);
  CHECK(of_view(at_epoch(3)) == 0);
}

TEST_CASE("in steps, a schedule's epochs are optimizer steps, whatever the epochs") {
  const Knob schedule = InSteps{Cosine{.epochs = 30}};
  for (int step = 0; step < 40; ++step) {
    Clock clock = at_batch(step / 6, step % 6, 6);
    clock.step = step;
    CHECK(schedule(clock) == Approx(step < 30 ? half_cosine(step / 30.0) : 0).margin(1e-15));
  }
  Clock late = at_epoch(1);
  late.step = 5;
  CHECK(InSteps{PeriodicDecay{.epochs = 5, .factor = 0.5}}(late) == 0.5);
}

TEST_CASE("plateau decay, relative and with a cooldown, by hand") {
  // Relative, 10 %: 100 -> 89 improves, 81 does not (89 * 0.9 = 80.1), 80 does.
  const History history = history_of(Metric::fit_loss, {100.0, 89.0, 81.0, 80.0, 79.0, 78.0, 77.0});
  const PlateauDecay relative{.factor = 0.5, .patience = 1, .by = 0.1, .relative = true};
  const auto after = [](const PlateauDecay& decay, const History& seen, std::size_t n) {
    return decay(at_epoch(static_cast<int>(n)), first(seen, n));
  };
  CHECK(after(relative, history, 5) == 1);
  CHECK(after(relative, history, 6) == 0.5);  // 79 and 78: two in a row
  CHECK(after(relative, history, 7) == 0.5);

  const History flat = history_of(Metric::fit_loss, {1.0, 1.0, 1.0, {}, 1.0, 1.0, 1.0, 1.0, 1.0});
  const PlateauDecay cooled{.factor = 0.5, .patience = 0, .cooldown = 2};
  // Decays at the second scoring; the third and the fourth do not count; the fifth does; two rest; the eighth.
  std::vector<double> values;
  for (std::size_t n = 1; n <= flat.size(); ++n) {
    values.push_back(after(cooled, flat, n));
  }
  CHECK(values == std::vector<double>{1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125});
}

#if !defined(__clang__) || __clang_major__ >= 18  // older ones do not tell the names of fields
TEST_CASE("a schedule's manifest has every field, those of its parts too") {
  CHECK(Knob(OneCycle{.epochs = 30}).manifest() ==
        R"({"type": "OneCycle", "epochs": 30, "rise": 0.3, "start": 0.04, "peak": 1, "end": 4e-06, )"
        R"("between": "cosine"})");
  CHECK(Knob(Piecewise{{{0, 1}}, Between::jump}).manifest() ==
        R"({"type": "Piecewise", "points": [{"type": "Piecewise::Point", "epoch": 0, "value": 1}], )"
        R"("between": "jump"})");
  CHECK(Knob(Concatenation{{{LinearWarmup{}, 5}, {0.1}}}).manifest() ==
        R"({"type": "Concatenation", "parts": [{"type": "Concatenation::Part", "schedule": )"
        R"({"type": "LinearWarmup", "epochs": 1, "start": 0}, "epochs": 5}, )"
        R"({"type": "Concatenation::Part", "schedule": 0.1, "epochs": 0}]})");
  CHECK(Knob(WarmupStableDecay{.epochs = 9}).manifest() ==
        R"({"type": "WarmupStableDecay", "epochs": 9, "warmup": 0, "decay": 0, "start": 0, "floor": 0, )"
        R"("shape": "line"})");
  CHECK(Knob(InSteps{PeriodicDecay{.epochs = 2}}).manifest() ==
        R"({"type": "InSteps", "schedule": {"type": "PeriodicDecay", "epochs": 2, "factor": 0.1}})");
  CHECK(Knob(PlateauDecay{}).manifest() ==
        R"({"type": "PlateauDecay", "factor": 0.1, "patience": 10, "metric": "fit_loss", "by": 1e-04, "floor": 0, )"
        R"("relative": false, "cooldown": 0})");
}
#endif

TEST_CASE("a lambda in another schedule sees the scores by the clock that it is given") {
  regimen::History history;
  for (int epoch = 1; epoch <= 4; ++epoch) {
    regimen::Epoch scored;
    scored.clock = {.epoch = epoch, .step = 10 * epoch};
    scored.fit.samples = 1;
    history.epochs.push_back(scored);
  }
  std::vector<int> epochs;
  int now = -1;
  const auto look = [&](const regimen::Clock& clock, const regimen::History& scores) {
    now = clock.epoch;
    epochs.clear();
    for (const regimen::Epoch& epoch : scores) {
      epochs.push_back(epoch.clock.epoch);
    }
    return 1.0;
  };
  const regimen::Clock clock{.epoch = 4, .step = 40};
  (void)regimen::Knob(regimen::Concatenation{{{1.0, 2}, {look}}})(clock, history);
  CHECK(now == 2);
  CHECK(epochs == std::vector<int>{1, 2});
  (void)regimen::Knob(regimen::InSteps{look})(clock, history);
  CHECK(now == 40);
  CHECK(epochs == std::vector<int>{10, 20, 30, 40});
}

TEST_CASE("a schedule's field out of bounds is an Error that names it") {
  const auto error = [](auto schedule) { return error_of([&] { (void)Knob(schedule); }); };
  CHECK(error(PeriodicDecay{}) == "PeriodicDecay.epochs must be at least 1, but is 0");
  CHECK(error(PeriodicDecay{.epochs = 1, .factor = 0}) == "PeriodicDecay.factor must be above 0 and finite, but is 0");
  CHECK(error(ExponentialDecay{.factor = 0}) == "ExponentialDecay.factor must be above 0 and finite, but is 0");
  CHECK(error(LinearDecay{}) == "LinearDecay.epochs must be above 0, but is 0");
  CHECK(error(LinearDecay{.epochs = 1, .from = unknown}) == "LinearDecay.from must be finite, but is nan");
  CHECK(error(LinearDecay{.epochs = 1, .to = unknown}) == "LinearDecay.to must be finite, but is nan");
  CHECK(error(PolynomialDecay{}) == "PolynomialDecay.epochs must be above 0, but is 0");
  CHECK(error(PolynomialDecay{.epochs = 1, .power = 0}) ==
        "PolynomialDecay.power must be above 0 and finite, but is 0");
  CHECK(error(PolynomialDecay{.epochs = 1, .floor = 2}) == "PolynomialDecay.floor must be in [0, 1], but is 2");
  CHECK(error(CosineRestarts{}) == "CosineRestarts.epochs must be above 0, but is 0");
  CHECK(error(CosineRestarts{.epochs = 1, .growth = 0.5}) ==
        "CosineRestarts.growth must be at least 1 and finite, but is 0.5");
  CHECK(error(CosineRestarts{.epochs = 1, .floor = -1}) == "CosineRestarts.floor must be in [0, 1], but is -1");
  CHECK(error(InverseSquareRoot{.warmup = 0}) == "InverseSquareRoot.warmup must be above 0, but is 0");
  CHECK(error(InverseSquareRoot{.start = 2}) == "InverseSquareRoot.start must be in [0, 1], but is 2");
  CHECK(error(WarmupStableDecay{}) == "WarmupStableDecay.epochs must be above 0, but is 0");
  CHECK(error(WarmupStableDecay{.epochs = 1, .warmup = -1}) ==
        "WarmupStableDecay.warmup must be at least 0, but is -1");
  CHECK(error(WarmupStableDecay{.epochs = 9, .warmup = 5, .decay = 5}) ==
        "WarmupStableDecay.decay must be at least 0, and with warmup at most epochs, but is 5");
  CHECK(error(WarmupStableDecay{.epochs = 9, .start = 2}) == "WarmupStableDecay.start must be in [0, 1], but is 2");
  CHECK(error(WarmupStableDecay{.epochs = 9, .floor = 2}) == "WarmupStableDecay.floor must be in [0, 1], but is 2");
  CHECK(error(Piecewise{}) == "Piecewise.points.size() must be at least 1, but is 0");
  CHECK(error(Piecewise{{{0, 1}, {0, 2}}}) ==
        "Piecewise.points[1].epoch must be finite and after the one before, but is 0");
  CHECK(error(Piecewise{{{0, unknown}}}) == "Piecewise.points[0].value must be finite, but is nan");
  CHECK(error(OneCycle{}) == "OneCycle.epochs must be above 0, but is 0");
  CHECK(error(OneCycle{.epochs = 1, .rise = 1}) == "OneCycle.rise must be in (0, 1), but is 1");
  CHECK(error(OneCycle{.epochs = 1, .peak = unknown}) == "OneCycle.peak must be finite, but is nan");
  CHECK(error(Concatenation{}) == "Concatenation.parts.size() must be at least 1, but is 0");
  CHECK(error(Concatenation{{{1}, {2}}}) == "Concatenation.parts[0].epochs must be at least 1, but is 0");
  CHECK(error_of([] { (void)Concatenation{{{Cosine{}, 1}}}; }) == "Cosine.epochs must be above 0, but is 0");
  CHECK(error(PlateauDecay{.cooldown = -1}) == "PlateauDecay.cooldown must be at least 0, but is -1");
}

TEST_CASE("schedules that jump do so at the very batch, whatever the last bit of a time in epochs says") {
  CHECK(CosineRestarts{.epochs = 0.2}({.epoch = 0, .batch = 6, .batches = 10}) == 1);
  // Whole batches: periods of so many, in epochs of so many.
  for (const std::int64_t batches : {3, 7, 10, 49, 391}) {
    for (const std::int64_t period : {1, 2, 3, 5, 11}) {
      const CosineRestarts restarts{.epochs = static_cast<double>(period) / static_cast<double>(batches)};
      for (std::int64_t b = 0; b < 6 * batches; ++b) {
        const Clock clock{.epoch = b / batches, .batch = b % batches, .batches = batches};
        CAPTURE(batches, period, b);
        const double progress = static_cast<double>(b % period) / static_cast<double>(period);
        REQUIRE(restarts(clock) == Approx(0.5 * (1 + std::cos(std::numbers::pi * progress))).margin(1e-12));
      }
    }
  }
  // Periods that double: they begin at 1, 3, 7, 15, ... times the first.
  const CosineRestarts doubling{.epochs = 0.3, .growth = 2};
  for (const std::int64_t begin : {0, 3, 9, 21, 45}) {
    CHECK(doubling({.epoch = begin / 10, .batch = begin % 10, .batches = 10}) == 1);
    CHECK(doubling({.epoch = (begin + 1) / 10, .batch = (begin + 1) % 10, .batches = 10}) < 1);
  }
  // A growth of next to nothing: what (growth^n - 1) / (growth - 1) would lose to rounding.
  const CosineRestarts slow{.epochs = 1, .growth = 1 + 1e-13};
  CHECK(slow({.epoch = 5}) == Approx(1));
}

TEST_CASE("a piecewise schedule has the new value at the batch of a point that is a fraction of an epoch") {
  const Piecewise jump{{{0, 1}, {5.0 / 3, .1}}, Between::jump};
  CHECK(jump({.epoch = 1, .batch = 1, .batches = 3}) == 1);
  CHECK(jump({.epoch = 1, .batch = 2, .batches = 3}) == .1);
  for (const std::int64_t batches : {3, 6, 7, 10, 13, 49}) {
    for (std::int64_t at = 1; at < 4 * batches; ++at) {
      const Piecewise once{{{0, 1}, {static_cast<double>(at) / static_cast<double>(batches), 2}}, Between::jump};
      for (const std::int64_t b : {at - 1, at, at + 1}) {
        CAPTURE(batches, at, b);
        REQUIRE(once({.epoch = b / batches, .batch = b % batches, .batches = batches}) == (b < at ? 1 : 2));
      }
    }
  }
}

TEST_CASE("schedules that end at a fraction of an epoch are at their end there, to the last bit") {
  for (const std::int64_t batches : {3, 7, 10, 49}) {
    for (std::int64_t end = 1; end < 3 * batches; ++end) {
      const double epochs = static_cast<double>(end) / static_cast<double>(batches);
      const Clock clock{.epoch = end / batches, .batch = end % batches, .batches = batches};
      CAPTURE(batches, end);
      REQUIRE(PolynomialDecay{.epochs = epochs, .power = 0.1}(clock) == 0);  // 0.1 of a last bit would be 0.03
      REQUIRE(LinearDecay{.epochs = epochs, .from = 3, .to = 2}(clock) == 2);
      REQUIRE(Cosine{.epochs = epochs}(clock) == 0);
      REQUIRE(OneCycle{.epochs = epochs}(clock) == 4e-6);
      REQUIRE(LinearWarmup{.epochs = epochs}(clock) == 1);
      REQUIRE(WarmupStableDecay{
                  .epochs = 2 * epochs, .warmup = epochs, .decay = epochs, .shape = Cooldown::square_root}(clock) == 1);
      REQUIRE(WarmupStableDecay{.epochs = epochs, .decay = epochs, .shape = Cooldown::square_root}(clock) == 0);
    }
  }
}

TEST_CASE("steps are counted beyond 2^31") {
  const std::int64_t many = (std::int64_t{1} << 31) + 5;
  const InSteps steps{StepDecay{{many}, 0.5}};
  CHECK(steps(Clock{.step = many - 1}) == 1);
  CHECK(steps(Clock{.step = many}) == 0.5);
  CHECK(InSteps{LinearDecay{.epochs = 4e9}}(Clock{.step = 3'000'000'000}) == Approx(0.25));
  CHECK(InSteps{PeriodicDecay{.epochs = 1'000'000'000}}(Clock{.step = 3'000'000'000}) == Approx(1e-3));
  CHECK(InSteps{Concatenation{{{1.0, 3'000'000'000}, {0.25}}}}(Clock{.step = 3'000'000'000}) == 0.25);
}
