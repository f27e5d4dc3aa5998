#include "regimen/track/gap_tracker.hpp"

#include <cmath>
#include <vector>

#include "support/histories.hpp"
#include "support/numbers.hpp"

using regimen::Epoch;
using regimen::GapTracker;
using regimen::Metric;
using regimen::Score;
using regimen::unknown;

namespace {

Epoch scored(double fit, double clean, double test) {
  Epoch epoch;
  epoch.fit = {.accuracy = fit, .loss = 1 - fit, .samples = 8};
  epoch.clean = {.accuracy = clean, .loss = 1 - clean, .samples = 8};
  epoch.test = {.accuracy = test, .loss = 2 - test, .samples = 8};
  return epoch;
}

}  // namespace

TEST_CASE("the gaps are fit minus test, test loss minus fit loss, and fit minus clean") {
  const Epoch epoch = scored(1.0, 0.625, 0.5);
  CHECK(generalization_gap(epoch) == 0.5);
  CHECK(loss_gap(epoch) == 1.5);
  CHECK(memorization(epoch) == 0.375);
}

TEST_CASE("the gap in error is that in accuracy, and is made up of what was learned by heart and what was not") {
  const Epoch epoch = scored(1.0, 0.625, 0.5);
  CHECK(error_gap(epoch) == 0.5);
  CHECK(clean_gap(epoch) == 0.125);
  CHECK(memorization(epoch) + clean_gap(epoch) == generalization_gap(epoch));
}

TEST_CASE("gaps are taken part by part; a part without a score has none, and parts must match") {
  const std::vector<Score> train = {{.accuracy = 1, .samples = 2}, {.accuracy = 0.5, .samples = 2}, {}};
  const std::vector<Score> test = {{.accuracy = 0.25, .samples = 2}, {.accuracy = 0.75, .samples = 2}, train[0]};
  const std::vector<double> each = regimen::gaps(train, test);
  REQUIRE(each.size() == 3);
  CHECK(each[0] == 0.75);
  CHECK(each[1] == -0.25);
  CHECK(std::isnan(each[2]));
  CHECK_THROWS_WITH(regimen::gaps(train, {}), "gaps: held_out.size() must be on_training_data.size() = 3, but is 0");
}

TEST_CASE("a gap is unknown where one side of it was not scored") {
  Epoch epoch = scored(1.0, 0.5, 0.5);
  epoch.test = {};
  CHECK(std::isnan(generalization_gap(epoch)));
  CHECK(std::isnan(loss_gap(epoch)));
  CHECK(memorization(epoch) == 0.5);
}

TEST_CASE("a tracker that saw nothing knows nothing") {
  const GapTracker gap;
  CHECK(gap.values().empty());
  CHECK(std::isnan(gap.last()));
  CHECK(std::isnan(gap.worst()));
}

TEST_CASE("a tracker follows the generalization gap of the epochs and skips those that were not scored") {
  GapTracker gap;
  gap(Epoch{});
  CHECK(std::isnan(gap.last()));
  gap(scored(0.75, 0, 0.5));
  gap(scored(1.0, 0, 0.5));
  gap(Epoch{});
  gap(scored(1.0, 0, 0.875));
  gap(Epoch{});
  CHECK(gap.values() == std::vector<double>{0.25, 0.5, 0.125});
  CHECK(gap.last() == 0.125);
  CHECK(gap.worst() == 0.5);
}

TEST_CASE("a tracker follows any gap it is given") {
  GapTracker learned_by_heart(regimen::memorization);
  GapTracker loss(regimen::loss_gap);
  GapTracker own([](const Epoch& epoch) { return epoch.clean.accuracy; });
  const Epoch epoch = scored(1.0, 0.25, 0.5);
  learned_by_heart(epoch);
  loss(epoch);
  own(epoch);
  CHECK(learned_by_heart.last() == 0.75);
  CHECK(loss.last() == 1.5);
  CHECK(own.last() == 0.25);
}

TEST_CASE("a tracker takes plain numbers, and skips what is not a number there too") {
  GapTracker gap;
  gap.add(unknown, 0.5);
  CHECK(gap.values().empty());
  gap.add(0.5, 0.75);
  gap.add(1.0, 0.5);
  gap.add(0.5, unknown);
  gap.add(0.75, 0.5);
  CHECK(gap.values() == std::vector<double>{-0.25, 0.5, 0.25});
  CHECK(gap.last() == 0.25);
  CHECK(gap.worst() == 0.5);
}

TEST_CASE("epochs and plain numbers add to the same gaps") {
  GapTracker gap;
  gap(scored(0.75, 0, 0.5));
  gap.add(0.75, 0.5);
  CHECK(gap.values() == std::vector<double>{0.25, 0.25});
}

TEST_CASE("the worst of negative gaps is the largest, not zero") {
  GapTracker gap;
  gap.add(0.25, 0.5);
  gap.add(0.25, 0.375);
  gap.add(0.25, 1.0);
  CHECK(gap.worst() == -0.125);
}
