#include "regimen/stop.hpp"

#include <string>
#include <vector>

#include "support/histories.hpp"
#include "support/numbers.hpp"

using regimen::AllOf;
using regimen::AnyOf;
using regimen::Epoch;
using regimen::FitLossReaches;
using regimen::FitReaches;
using regimen::History;
using regimen::Metric;
using regimen::Not;
using regimen::Patience;
using regimen::StepLimit;
using regimen::Stop;
using regimen::TimeLimit;
using regimen::unknown;

namespace {

const Stop always = [](const History&) { return true; };
const Stop never = [](const History&) { return false; };

}  // namespace

TEST_CASE("a default stop never says that it is over") {
  CHECK(!Stop()(History{}));
  CHECK(!Stop()(history_of(Metric::fit_accuracy, {1.0, 1.0})));
  CHECK(Stop().metrics().empty());
  CHECK(Stop().manifest() == "null");
}

TEST_CASE("nothing is over before the first epoch") {
  const History none;
  CHECK(!FitReaches{.accuracy = 0.1}(none));
  CHECK(!Patience{.scorings = 1}(none));
  CHECK(!Stop(TimeLimit{.seconds = 1e-9})(none));
  CHECK(!Stop(StepLimit{.steps = 1})(none));
  CHECK(!Stop([](const Epoch&) { return true; })(none));
}

TEST_CASE("fit reaches its accuracy at the first scoring that is as large") {
  const History history = history_of(Metric::fit_accuracy, {0.5, 0.89, 0.9, 0.8, 1.0});
  CHECK(answers(FitReaches{.accuracy = 0.9}, history) == "..S.S");
  CHECK(answers(FitReaches{}, history) == "....S");
}

TEST_CASE("fit holds its accuracy in consecutive scorings; a drop begins the count anew") {
  const History history = history_of(Metric::fit_accuracy, {0.9, 0.9, 0.5, 0.9, 0.9, 0.9, 0.9, 0.1});
  CHECK(answers(FitReaches{.accuracy = 0.9, .hold = 3}, history) == ".....SS.");
  CHECK(answers(FitReaches{.accuracy = 0.9, .hold = 2}, history) == ".S..SSS.");
}

TEST_CASE("an epoch that was not scored neither counts as held nor breaks the hold") {
  const History sparse = history_of(Metric::fit_accuracy, {{}, 0.9, {}, {}, 0.9, {}, 0.2, {}, 0.9});
  CHECK(answers(FitReaches{.accuracy = 0.9, .hold = 2}, sparse) == "....SS...");
  CHECK(answers(FitReaches{.accuracy = 0.9}, sparse) == ".SSSSS..S");
}

TEST_CASE("fit looks at fit alone, and an accuracy without meaning is not reached") {
  CHECK(answers(FitReaches{.accuracy = 0.1}, history_of(Metric::test_accuracy, {1.0, 1.0})) == "..");
  CHECK(answers(FitReaches{.accuracy = 0.1}, history_of(Metric::fit_loss, {0.0, 0.0})) == "..");
  CHECK(answers(FitReaches{.accuracy = 0.1, .hold = 2}, history_of(Metric::fit_accuracy, {1.0, unknown, 1.0})) ==
        "...");
}

TEST_CASE("patience ends when the scorings in a row have not improved on the best") {
  const History history = history_of(Metric::validation_loss, {1.0, 0.8, 0.9, 0.8, 0.7, 0.7, 0.9, 0.71, 0.1});
  CHECK(answers(Patience{.scorings = 3}, history) == ".......S.");
  CHECK(answers(Patience{.scorings = 2}, history) == "...S..SS.");
  CHECK(answers(Patience{.scorings = 1}, history) == "..SS.SSS.");
}

TEST_CASE("patience knows which way each metric is better") {
  const History rising = history_of(Metric::clean_accuracy, {0.1, 0.2, 0.3, 0.3, 0.3});
  CHECK(answers(Patience{.scorings = 2, .metric = Metric::clean_accuracy}, rising) == "....S");
  const History growing = history_of(Metric::fit_loss, {0.1, 0.2, 0.3});
  CHECK(answers(Patience{.scorings = 2, .metric = Metric::fit_loss}, growing) == "..S");
}

TEST_CASE("patience counts scorings, not epochs") {
  const History sparse = history_of(Metric::validation_loss, {1.0, {}, {}, {}, 1.0, {}, {}, 1.0, {}, 0.5});
  CHECK(answers(Patience{.scorings = 2}, sparse) == ".......SS.");
  CHECK(answers(Patience{.scorings = 2}, history_of(Metric::fit_loss, {1.0, 1.0, 1.0, 1.0})) == "....");
}

TEST_CASE("an improvement by exactly `by` is none") {
  const History history = history_of(Metric::validation_loss, {1.0, 0.75, 0.5, 0.125});
  CHECK(answers(Patience{.scorings = 2, .by = 0.25}, history) == "....");
  CHECK(answers(Patience{.scorings = 1, .by = 0.25}, history) == ".S..");
}

TEST_CASE("steps that are each smaller than `by` add up to an improvement") {
  // 0.9 is no improvement on 1.0 by 0.15, but 0.8 is: the best is what the improvement is counted from, not the last.
  const History creeping = history_of(Metric::validation_loss, {1.0, 0.9, 0.8, 0.7, 0.6, 0.5});
  CHECK(answers(Patience{.scorings = 2, .by = 0.15}, creeping) == "......");
  CHECK(answers(Patience{.scorings = 2, .by = 0.25}, creeping) == "..S..S");
}

TEST_CASE("a metric that is not a number does not improve") {
  CHECK(answers(Patience{.scorings = 2},
                history_of(Metric::validation_loss, {1.0, unknown, unknown, 0.5, unknown, 0.4})) == "..S...");
  CHECK(answers(Patience{.scorings = 2}, history_of(Metric::validation_loss, {unknown, unknown, 1.0})) == ".S.");
}

TEST_CASE("a time limit and a step limit look at the last epoch") {
  History history;
  for (int epoch = 1; epoch <= 4; ++epoch) {
    Epoch& last = history.epochs.emplace_back();
    last.clock.step = 10 * epoch;
    last.seconds = epoch;
  }
  CHECK(answers(TimeLimit{.seconds = 2}, history) == ".SSS");
  CHECK(answers(TimeLimit{.seconds = 2.5}, history) == "..SS");
  CHECK(answers(StepLimit{.steps = 30}, history) == "..SS");
  CHECK(answers(StepLimit{.steps = 31}, history) == "...S");
}

TEST_CASE("a lambda is a criterion, of the history or of the last epoch") {
  const History history = history_of(Metric::fit_loss, {0.5, 0.1, 0.3});
  CHECK(answers([](const History& seen) { return seen.size() >= 2; }, history) == ".SS");
  CHECK(answers([](const Epoch& epoch) { return epoch.fit.loss < 0.2; }, history) == ".S.");
}

TEST_CASE("a criterion of a user's is one too, with its fields checked") {
  struct Longer {
    int than = 1;

    void check() const { regimen::detail::require(than >= 0, "Longer.than", "at least 0", than); }
    bool operator()(const History& history) const { return static_cast<int>(history.size()) > than; }
  };
  const History history = history_of(Metric::fit_accuracy, {0.1, 1.0, 0.1});
  CHECK(answers(Longer{}, history) == ".SS");
  CHECK(answers(Longer{} && FitReaches{}, history) == ".S.");
  CHECK(error_of([] { (void)Stop(Longer{.than = -1}); }) == "Longer.than must be at least 0, but is -1");
}

TEST_CASE("or, and, not are the truth tables") {
  const History history = history_of(Metric::fit_loss, {1.0});
  for (const bool a : {false, true}) {
    for (const bool b : {false, true}) {
      const Stop first_one = a ? always : never;
      const Stop second_one = b ? always : never;
      CAPTURE(a, b);
      CHECK((first_one || second_one)(history) == (a || b));
      CHECK((first_one && second_one)(history) == (a && b));
      CHECK((!first_one)(history) == !a);
      CHECK((!(first_one || second_one) && first_one)(history) == false);
      CHECK((!(first_one && second_one))(history) == (!first_one || !second_one)(history));  // De Morgan
    }
  }
}

TEST_CASE("combinations of criteria nest") {
  History history = history_of(Metric::validation_loss, {1.0, 1.0, 1.0, 1.0, 1.0});
  for (std::size_t i = 0; i < history.size(); ++i) {
    history.epochs[i].clock.step = static_cast<std::int64_t>(10 * (i + 1));
    set(history.epochs[i], Metric::fit_accuracy, i == 1 || i == 3 ? 1.0 : 0.5);
  }
  const Stop fitted = [](const Epoch& epoch) { return epoch.fit.accuracy == 1; };
  CHECK(answers(FitReaches{} && Patience{.scorings = 2}, history) == "...S.");
  CHECK(answers(FitReaches{} || StepLimit{.steps = 50}, history) == ".S.SS");
  CHECK(answers((FitReaches{} && !StepLimit{.steps = 40}) || StepLimit{.steps = 50}, history) == ".S..S");
  CHECK(answers(!(fitted || Patience{.scorings = 4}), history) == "S.S..");
  CHECK(answers(!!fitted, history) == ".S.S.");
}

TEST_CASE("asking twice, or about a copy, or about something else in between, gives the same") {
  const History history = history_of(Metric::validation_loss, {1.0, 0.8, 0.9, 0.9, {}, 0.7, 0.9, 0.9});
  const Stop stop = Patience{.scorings = 2} || (FitReaches{} && !TimeLimit{.seconds = 5});
  const std::string once = answers(stop, history);
  CHECK(once == "...SS..S");
  CHECK(answers(stop, history) == once);
  const History copy = history;
  const Stop copy_of_stop = stop;
  CHECK(answers(copy_of_stop, copy) == once);
  std::string backwards;
  for (std::size_t n = history.size(); n >= 1; --n) {
    backwards += stop(first(history, n)) ? "S" : ".";
  }
  CHECK(backwards == std::string(once.rbegin(), once.rend()));
  CHECK(history == copy);
}

TEST_CASE("a stop names the metrics that any part of it reads") {
  using Metrics = std::vector<Metric>;
  CHECK(Stop(FitReaches{}).metrics() == Metrics{Metric::fit_accuracy});
  CHECK(Stop(Patience{}).metrics() == Metrics{Metric::validation_loss});
  CHECK(Stop(Patience{.metric = Metric::test_loss}).metrics() == Metrics{Metric::test_loss});
  CHECK(Stop(TimeLimit{.seconds = 1}).metrics().empty());
  CHECK(Stop(StepLimit{.steps = 1}).metrics().empty());
  CHECK(always.metrics().empty());
  CHECK(Stop(FitReaches{} || Patience{}).metrics() == Metrics{Metric::fit_accuracy, Metric::validation_loss});
  CHECK(Stop(FitReaches{} && Patience{}).metrics() == Metrics{Metric::fit_accuracy, Metric::validation_loss});
  CHECK(Stop(!Patience{}).metrics() == Metrics{Metric::validation_loss});
  const Stop nested = !(FitReaches{} && always) || (StepLimit{.steps = 3} && Patience{.metric = Metric::clean_loss});
  CHECK(nested.metrics() == Metrics{Metric::fit_accuracy, Metric::clean_loss});
}

TEST_CASE("a criterion out of bounds is an Error that names the field, as soon as it becomes a stop") {
  const auto error = [](auto criterion) { return error_of([&] { (void)Stop(criterion); }); };
  CHECK(error(FitReaches{.accuracy = 0}) == "FitReaches.accuracy must be in (0, 1], but is 0");
  CHECK(error(FitReaches{.accuracy = 1.5}) == "FitReaches.accuracy must be in (0, 1], but is 1.5");
  CHECK(error(FitReaches{.accuracy = unknown}) == "FitReaches.accuracy must be in (0, 1], but is nan");
  CHECK(error(FitReaches{.hold = 0}) == "FitReaches.hold must be at least 1, but is 0");
  CHECK(error(FitLossReaches{.loss = unknown}) == "FitLossReaches.loss must be finite, but is nan");
  CHECK(error(FitLossReaches{.hold = 0}) == "FitLossReaches.hold must be at least 1, but is 0");
  CHECK(error(Patience{.scorings = 0}) == "Patience.scorings must be at least 1, but is 0");
  CHECK(error(Patience{.by = -0.5}) == "Patience.by must be at least 0, but is -0.5");
  CHECK(error(Patience{.by = unknown}) == "Patience.by must be at least 0, but is nan");
  CHECK(error(TimeLimit{}) == "TimeLimit.seconds must be above 0, but is 0");
  CHECK(error(TimeLimit{.seconds = -1}) == "TimeLimit.seconds must be above 0, but is -1");
  CHECK(error(StepLimit{}) == "StepLimit.steps must be above 0, but is 0");
  CHECK(error(StepLimit{.steps = -7}) == "StepLimit.steps must be above 0, but is -7");
  CHECK(error(FitReaches{.accuracy = 1, .hold = 1}).empty());
  CHECK(error(Patience{.scorings = 1, .by = 0}).empty());
}

TEST_CASE("a combination checks its parts when it is written") {
  CHECK(error_of([] { (void)(FitReaches{} || StepLimit{}); }) == "StepLimit.steps must be above 0, but is 0");
  CHECK(error_of([] { (void)!(Patience{.scorings = -1} && FitReaches{}); }) ==
        "Patience.scorings must be at least 1, but is -1");
}

TEST_CASE("or, and, not have their types") {
  CHECK(std::same_as<decltype(FitReaches{} || Patience{}), AnyOf>);
  CHECK(std::same_as<decltype(FitReaches{} && Patience{}), AllOf>);
  CHECK(std::same_as<decltype(!FitReaches{}), Not>);
}
