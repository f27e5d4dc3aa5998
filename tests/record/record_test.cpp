#include "regimen/record.hpp"

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "support/histories.hpp"
#include "support/numbers.hpp"

using regimen::Ended;
using regimen::Epoch;
using regimen::History;
using regimen::Metric;
using regimen::Outcome;
using regimen::Score;
using regimen::unknown;

namespace {

const std::vector<Metric> all_metrics = {
    Metric::fit_accuracy,  Metric::fit_loss,  Metric::clean_accuracy,      Metric::clean_loss,
    Metric::test_accuracy, Metric::test_loss, Metric::validation_accuracy, Metric::validation_loss,
};

Epoch measured() {
  Epoch epoch;
  epoch.clock = {.phase = 1, .epoch = 2, .batch = 0, .batches = 10, .step = 20};
  epoch.phase = "escape";
  epoch.fit = {.accuracy = 0.9, .loss = 0.3, .samples = 100};
  epoch.clean = {.accuracy = 0.8, .loss = 0.4, .samples = 100};
  epoch.test = {.accuracy = 0.7, .loss = 0.5, .samples = 50};
  epoch.validation = {.accuracy = 0.6, .loss = 0.6, .samples = 25};
  epoch.train_loss = 0.35;
  epoch.learning_rate = 0.1;
  epoch.measures = {{"norm", 3.0}, {"sharpness", 12.5}};
  epoch.seconds = 4.5;
  return epoch;
}

/// What `measured` becomes with one change.
template <class Change>
Epoch changed(Change&& change) {
  Epoch epoch = measured();
  change(epoch);
  return epoch;
}

}  // namespace

TEST_CASE("a score is unknown until samples were scored") {
  const Score score;
  CHECK(!score.scored());
  CHECK(std::isnan(score.accuracy));
  CHECK(std::isnan(score.loss));
  CHECK(Score{.accuracy = unknown, .loss = 0.5, .samples = 1}.scored());
}

TEST_CASE("an epoch that was not scored has no value for any metric") {
  for (const Metric metric : all_metrics) {
    CHECK(std::isnan(value_of(Epoch{}, metric)));
    CHECK(!score_of(Epoch{}, metric).scored());
  }
}

TEST_CASE("each metric reads its own number and no other") {
  const Epoch epoch = measured();
  const std::vector<double> expected = {0.9, 0.3, 0.8, 0.4, 0.7, 0.5, 0.6, 0.6};
  for (std::size_t i = 0; i < all_metrics.size(); ++i) {
    CHECK(value_of(epoch, all_metrics[i]) == expected[i]);
  }
  for (const Metric written : all_metrics) {
    Epoch one;
    set(one, written, 0.25);
    for (const Metric read : all_metrics) {
      CHECK((value_of(one, read) == 0.25) == (read == written));
    }
  }
}

TEST_CASE("accuracies are better when larger and losses when smaller, and every name says which one it is") {
  std::set<std::string> names;
  for (const Metric metric : all_metrics) {
    const std::string name = name_of(metric);
    CHECK(larger_is_better(metric) == (name.find("accuracy") != std::string::npos));
    CHECK(!larger_is_better(metric) == (name.find("loss") != std::string::npos));
    names.insert(name);
  }
  CHECK(names.size() == 8);
  CHECK(name_of(Metric::fit_accuracy) == "fit_accuracy");
  CHECK(name_of(Metric::clean_loss) == "clean_loss");
  CHECK(name_of(Metric::test_loss) == "test_loss");
  CHECK(name_of(Metric::validation_loss) == "validation_loss");
}

TEST_CASE("every end has its name") {
  CHECK(name_of(Ended::running) == "running");
  CHECK(name_of(Ended::epochs) == "epochs");
  CHECK(name_of(Ended::criterion) == "criterion");
  CHECK(name_of(Ended::stopped) == "stopped");
  CHECK(name_of(Ended::diverged) == "diverged");
}

TEST_CASE("seconds are no part of equality") {
  CHECK(measured() == changed([](Epoch& e) { e.seconds = 1e9; }));
  CHECK(measured() == changed([](Epoch& e) { e.seconds = unknown; }));
}

TEST_CASE("everything else of an epoch is part of equality") {
  CHECK(measured() == measured());
  CHECK(measured() != changed([](Epoch& e) { ++e.clock.step; }));
  CHECK(measured() != changed([](Epoch& e) { e.phase = "vanilla"; }));
  CHECK(measured() != changed([](Epoch& e) { e.fit.accuracy = 0.91; }));
  CHECK(measured() != changed([](Epoch& e) { e.fit.loss = 0.31; }));
  CHECK(measured() != changed([](Epoch& e) { e.fit.samples = 101; }));
  CHECK(measured() != changed([](Epoch& e) { e.clean.loss = 0; }));
  CHECK(measured() != changed([](Epoch& e) { e.test.loss = 0; }));
  CHECK(measured() != changed([](Epoch& e) { e.validation.loss = 0; }));
  CHECK(measured() != changed([](Epoch& e) { e.train_loss = 0; }));
  CHECK(measured() != changed([](Epoch& e) { e.learning_rate = 0; }));
  CHECK(measured() != changed([](Epoch& e) { e.measures["norm"] = 4; }));
  CHECK(measured() != changed([](Epoch& e) { e.measures["more"] = 4; }));
  CHECK(measured() != changed([](Epoch& e) { e.measures.erase("norm"); }));
}

TEST_CASE("not measured equals not measured, and no number") {
  CHECK(Epoch{} == Epoch{});
  CHECK(Score{} == Score{});
  CHECK(measured() != changed([](Epoch& e) { e.fit.accuracy = unknown; }));
  CHECK(measured() != changed([](Epoch& e) { e.train_loss = unknown; }));
  CHECK(measured() != changed([](Epoch& e) { e.learning_rate = unknown; }));
  const auto unmeasured = [](Epoch& e) { e.measures["norm"] = unknown; };
  CHECK(measured() != changed(unmeasured));
  CHECK(changed(unmeasured) == changed(unmeasured));
  CHECK(changed(unmeasured) != changed([](Epoch& e) { e.measures = {{"other", unknown}, {"sharpness", 12.5}}; }));
}

TEST_CASE("histories are equal where their epochs and their outcomes are") {
  const History history{.epochs = {measured()}, .outcomes = {{.phase = "escape", .ended = Ended::epochs}}};
  History other = history;
  CHECK(history == other);
  other.epochs[0].seconds = 99;
  CHECK(history == other);
  other.outcomes[0].ended = Ended::diverged;
  CHECK(history != other);
  other = history;
  other.epochs.push_back(measured());
  CHECK(history != other);
  other = history;
  other.outcomes[0].clock.step = 1;
  CHECK(history != other);
}

TEST_CASE("a history runs through its epochs in order") {
  const History history = history_of(Metric::fit_loss, {0.3, 0.2, 0.1});
  CHECK(!history.empty());
  CHECK(history.size() == 3);
  CHECK(history.back().fit.loss == 0.1);
  std::vector<int> epochs;
  for (const Epoch& epoch : history) {
    epochs.push_back(epoch.clock.epoch);
  }
  CHECK(epochs == std::vector<int>{1, 2, 3});
  CHECK(History{}.empty());
}

TEST_CASE("a history has ended as its last phase has, and is running before any has") {
  History history;
  CHECK(history.ended() == Ended::running);
  history.outcomes.push_back({.phase = "a", .ended = Ended::criterion});
  CHECK(history.ended() == Ended::criterion);
  history.outcomes.push_back({.phase = "b", .ended = Ended::diverged});
  CHECK(history.ended() == Ended::diverged);
}

TEST_CASE("of_phase keeps the epochs of one phase, in order, and no outcome") {
  History history;
  for (const int phase : {0, 0, 1, 0, 2, 1}) {
    Epoch& epoch = history.epochs.emplace_back();
    epoch.clock.phase = phase;
    epoch.clock.epoch = static_cast<int>(history.size());
  }
  history.outcomes.push_back({.phase = "a", .ended = Ended::epochs});
  const History before = history;
  const auto epochs_of = [&](int phase) {
    std::vector<int> epochs;
    for (const Epoch& epoch : history.of_phase(phase)) {
      epochs.push_back(epoch.clock.epoch);
    }
    return epochs;
  };
  CHECK(epochs_of(0) == std::vector<int>{1, 2, 4});
  CHECK(epochs_of(1) == std::vector<int>{3, 6});
  CHECK(epochs_of(2) == std::vector<int>{5});
  CHECK(history.of_phase(3).empty());
  CHECK(history.of_phase(0).outcomes.empty());
  CHECK(history == before);
}
