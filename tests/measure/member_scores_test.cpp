// The scores of each network of an ensemble, and its history.
#include "support/tensors.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <string>

#include <regimen/regimen.hpp>
#include "support/measured.hpp"

namespace member_scores_test {

namespace {

using measured::Echo;
using regimen::AnyLoss;
using regimen::Batch;
using regimen::MemberScores;
using regimen::Numbers;

constexpr std::int64_t members = 3;

Echo echo;

/// What `evaluate` says of each member alone, under the names of MemberScores.
Numbers by_hand(const Batch& data, const AnyLoss& loss, bool own_targets) {
  Numbers all{{"samples", static_cast<double>(data.size())}};
  for (std::int64_t i = 0; i < members; ++i) {
    const Batch own{.data = data.data.select(1, i), .target = own_targets ? data.target.select(1, i) : data.target};
    const regimen::Score score = regimen::evaluate(echo, own, {.loss = loss, .batch = 4});
    all[std::to_string(i) + "_accuracy"] = score.accuracy;
    all[std::to_string(i) + "_loss"] = score.loss;
  }
  return all;
}

void check_same(const Numbers& a, const Numbers& b) {
  REQUIRE(a.size() == b.size());
  for (const auto& [name, value] : a) {
    CAPTURE(name, value, b.at(name));
    CHECK((std::isnan(value) ? std::isnan(b.at(name)) : b.at(name) == Approx(value).epsilon(1e-6)));
  }
}

}  // namespace

TEST_CASE("member scores: those of each member alone, by shared and by own targets") {
  at::manual_seed(1);
  const at::Tensor logits = at::randn({10, members, 4}, at::kDouble);
  const at::Tensor labels = at::randint(4, {10, members}, at::kLong);
  at::Tensor some = labels.clone();
  some.select(1, 1).fill_(9);  // of member 1 one sample is judged, of member 2 all but one
  some[4][1] = 2;
  some[5][2] = 9;
  const at::Tensor binary = at::randint(2, {10, members}, at::kLong);
  struct Case {
    AnyLoss loss;
    at::Tensor data;
    at::Tensor own;
  };
  for (const Case& each :
       {Case{regimen::CrossEntropy{}, logits, labels}, Case{regimen::CrossEntropy{.ignore_index = 9}, logits, some},
        Case{regimen::CrossEntropy{.class_weights = {1, 0.5, 2, 3}}, logits, labels},
        Case{regimen::BinaryCrossEntropy{}, logits.select(2, 0), binary},
        Case{torch::nn::CrossEntropyLoss(torch::nn::CrossEntropyLossOptions().ignore_index(9)), logits, some},
        Case{regimen::SummedLoss{
                 [](const at::Tensor& o, const at::Tensor& t) { return (o.squeeze(-1) - t).abs().sum(); }},
             logits.slice(2, 0, 1), binary},
        Case{[](const at::Tensor& o, const at::Tensor& t) { return (o - t).abs().mean(); }, logits.select(2, 0),
             binary},
        Case{regimen::MeanSquaredError{}, logits, at::rand({10, members, 4}, at::kDouble)}}) {
    const Batch own{.data = each.data, .target = each.own};
    const Batch shared{.data = each.data, .target = each.own.select(1, 2).contiguous()};
    const auto scores = [&](const Batch& data, bool own_targets) {
      const MemberScores measure{
          .data = data, .members = members, .loss = each.loss, .own_targets = own_targets, .how = {.batch = 4}};
      CHECK(measure.names().size() == 1 + 2 * members);
      return measure(echo);
    };
    check_same(by_hand(own, each.loss, true), scores(own, true));
    check_same(by_hand(shared, each.loss, false), scores(shared, false));
  }
}

TEST_CASE("member scores: a member that is not finite has a loss that is not, and the others have theirs") {
  at::Tensor logits = at::ones({6, members, 2}, at::kDouble);
  logits.select(1, 1).fill_(std::nan(""));
  const Numbers scores =
      MemberScores{.data = Batch{.data = logits, .target = at::zeros({6}, at::kLong)}, .members = members}(echo);
  CHECK(scores.at("0_loss") == Approx(std::log(2.)));
  CHECK(std::isnan(scores.at("1_loss")));
  CHECK(scores.at("2_loss") == Approx(std::log(2.)));
}

TEST_CASE("member scores: misuse is named") {
  const Batch data{.data = at::ones({6, 3, 2}, at::kDouble), .target = at::zeros({6}, at::kLong)};
  check_error([&] { (void)MemberScores{.data = data, .members = 2}(echo); },
              {"MemberScores.members", "outputs, 3", "is 2"});
  check_error([&] { (void)regimen::AnyMeasure(MemberScores{.data = data, .members = 0}); },
              {"MemberScores.members", "at least 1"});
  check_error([] { (void)regimen::AnyMeasure(MemberScores{}); }, {"MemberScores.data must be set"});
  check_error(
      [&] { (void)regimen::AnyMeasure(MemberScores{.data = data, .how = {.loss = regimen::BinaryCrossEntropy{}}}); },
      {"MemberScores.how.loss", "MemberScores.loss"});
  const MemberScores own{.data = data, .members = 3, .own_targets = true};
  check_error([&] { (void)own(echo); }, {"targets", "[6, 3, ...]", "[6] long int"});
}

TEST_CASE("history of a member: its scores, and how it ended") {
  const double nan = std::nan("");
  regimen::History all;
  for (int epoch = 1; epoch <= 3; ++epoch) {
    regimen::Epoch one{
        .clock = {.epoch = epoch, .step = 10 * epoch}, .phase = "p", .train_loss = 5, .learning_rate = 0.1};
    if (epoch != 2) {  // not scored
      one.measures = {{"fit_samples", 20},
                      {"fit_0_accuracy", 0.5},
                      {"fit_0_loss", 0.25 * epoch},
                      {"fit_1_accuracy", 0.75},
                      {"fit_1_loss", epoch == 1 ? 1 : nan},
                      {"validation_samples", 7},
                      {"validation_0_accuracy", nan},
                      {"validation_0_loss", 2},
                      {"validation_1_accuracy", 1},
                      {"validation_1_loss", 3},
                      {"norm", 12}};
    }
    all.epochs.push_back(one);
  }
  all.outcomes.push_back({.phase = "p", .ended = regimen::Ended::epochs, .clock = {.epoch = 3, .step = 30}});
  const regimen::History first = regimen::history_of_member(all, 0);
  REQUIRE(first.size() == 3);
  CHECK(first.back().fit == regimen::Score{.accuracy = 0.5, .loss = 0.75, .samples = 20});
  CHECK(first.back().validation == regimen::Score{.accuracy = nan, .loss = 2, .samples = 7});
  CHECK_FALSE(first.back().test.scored());
  CHECK_FALSE(first.epochs[1].scored());
  CHECK(first.back().measures.empty());
  CHECK(std::isnan(first.back().train_loss));
  CHECK(first.back().clock == all.back().clock);
  CHECK((first.outcomes == all.outcomes));
  CHECK(regimen::history_of_member(all, 1).ended() == regimen::Ended::diverged);
  check_error([&] { (void)regimen::history_of_member(all, 2); },
              {"member 2", "MemberScores called fit, clean, test or validation"});
  CHECK(regimen::history_of_member(regimen::History{}, 4).empty());
  for (regimen::Epoch& epoch : all.epochs) {  // without "fit", a loss that is not finite counts wherever it is
    std::erase_if(epoch.measures, [](const auto& measure) { return measure.first.rfind("fit", 0) == 0; });
  }
  all.epochs.back().measures["validation_0_loss"] = std::numeric_limits<double>::infinity();
  CHECK(regimen::history_of_member(all, 0).ended() == regimen::Ended::diverged);
  CHECK(regimen::history_of_member(all, 1).ended() == regimen::Ended::epochs);
}

}  // namespace member_scores_test
