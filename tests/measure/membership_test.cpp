// Signals of membership, and the attacks that take no reference networks.

#include "support/tensors.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/measured.hpp"

namespace membership_test {

namespace {

using measured::check_close;
using measured::Echo;
using measured::points;
using measured::rows;
using regimen::Batch;
using regimen::GapAttack;
using regimen::membership_signal;
using regimen::MembershipSignal;
using regimen::ThresholdAttack;

const double nan = std::numeric_limits<double>::quiet_NaN();
const MembershipSignal every_signal[] = {
    MembershipSignal::loss,    MembershipSignal::margin,           MembershipSignal::confidence,
    MembershipSignal::entropy, MembershipSignal::modified_entropy, MembershipSignal::correctness};

double signal_of(MembershipSignal signal, const std::vector<double>& logits, std::int64_t label) {
  return membership_signal(signal, rows(logits, static_cast<std::int64_t>(logits.size())), longs({label}))
      .item<double>();
}

/// The signals as they are written, for moderate logits.
double by_hand(MembershipSignal signal, const std::vector<double>& z, std::size_t y) {
  double sum = 0;
  std::vector<double> p;
  for (const double logit : z) {
    sum += std::exp(logit);
  }
  double largest = 0;
  double entropy = 0;
  double modified = 0;
  for (std::size_t c = 0; c < z.size(); ++c) {
    p.push_back(std::exp(z[c]) / sum);
    largest = std::max(largest, p[c]);
    entropy += p[c] * std::log(p[c]);
    modified += c == y ? (1 - p[c]) * std::log(p[c]) : p[c] * std::log(1 - p[c]);
  }
  switch (signal) {
    case MembershipSignal::loss:
      return std::log(p[y]);
    case MembershipSignal::margin:
      return std::log(p[y] / (1 - p[y]));
    case MembershipSignal::confidence:
      return largest;
    case MembershipSignal::entropy:
      return entropy;
    case MembershipSignal::modified_entropy:
      return modified;
    default:
      return p[y] == largest ? 1 : 0;
  }
}

/// Logits of two classes whose loss for class 0 is a given number.
at::Tensor with_losses(const std::vector<double>& losses) {
  std::vector<double> logits;
  for (const double loss : losses) {
    logits.push_back(-loss);
    logits.push_back(std::log1p(-std::exp(-loss)));
  }
  return rows(logits, 2);
}

}  // namespace

TEST_CASE("membership signal: the margin of (2, 0, -1) is 2 - log(1 + 1 / e)") {
  CHECK(signal_of(MembershipSignal::margin, {2, 0, -1}, 0) == Approx(2 - std::log(1 + std::exp(-1))).epsilon(1e-15));
  CHECK(signal_of(MembershipSignal::margin, {2, 0, -1}, 0) == Approx(1.6867383).margin(5e-8));
}

TEST_CASE("membership signal: each is what its formula says") {
  for (const std::vector<double>& z : {std::vector<double>{2, 0, -1}, {0.1, 0.2, 0.3}, {-3, 4, 1}, {5, -5, 5.5}}) {
    for (const std::size_t y : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
      for (const MembershipSignal signal : every_signal) {
        CAPTURE(regimen::name_of(signal), z, y);
        CHECK(signal_of(signal, z, static_cast<std::int64_t>(y)) == Approx(by_hand(signal, z, y)).epsilon(1e-12));
        CHECK(signal_of(signal, {z[0] + 50, z[1] + 50, z[2] + 50}, static_cast<std::int64_t>(y)) ==
              Approx(by_hand(signal, z, y)).epsilon(1e-11));
      }
    }
  }
}

TEST_CASE("membership signal: sure predictions keep their digits") {
  // p_y = 1 - exp(-60) is 1 in double: log(p / (1 - p)) would be infinite.
  CHECK(signal_of(MembershipSignal::margin, {60, 0}, 0) == 60);
  CHECK(signal_of(MembershipSignal::margin, {0, 1000}, 0) == -1000);
  CHECK(signal_of(MembershipSignal::loss, {60, 0}, 0) == Approx(-std::exp(-60)).epsilon(1e-9));
  CHECK(signal_of(MembershipSignal::loss, {0, 1000}, 0) == -1000);
  // p_1 log(1 - p_1) + (1 - p_0) log p_0 with p_1 = 1 up to rounding
  CHECK(signal_of(MembershipSignal::modified_entropy, {0, 60}, 0) == Approx(-120));
  CHECK(signal_of(MembershipSignal::modified_entropy, {1000, 0}, 0) == 0);
  CHECK(signal_of(MembershipSignal::entropy, {1000, 0}, 0) == 0);
}

TEST_CASE("membership signal: larger is more like a member, whichever signal") {
  for (const MembershipSignal signal : every_signal) {
    CAPTURE(regimen::name_of(signal));
    CHECK(signal_of(signal, {4, 0, 0}, 0) > signal_of(signal, {0.1, 0.2, 0}, 0));
  }
}

TEST_CASE("membership signal: NaN stays NaN, and labels out of range are errors") {
  CHECK(std::isnan(signal_of(MembershipSignal::margin, {nan, 1}, 0)));
  CHECK(std::isnan(signal_of(MembershipSignal::modified_entropy, {nan, 1}, 0)));
  CHECK(signal_of(MembershipSignal::correctness, {nan, 1}, 0) == 0);
  check_error([] { (void)signal_of(MembershipSignal::loss, {0, 1}, 2); }, {"[0, 2)", "one is 2"});
  check_error([] { (void)signal_of(MembershipSignal::loss, {0, 1}, -100); }, {"[0, 2)", "one is -100"});
  check_error([] { (void)membership_signal(MembershipSignal::loss, rows({0, 1}, 2), longs({0, 1})); },
              {"membership_signal", "labels of [n]", "[2] long"});
  check_error([] { (void)membership_signal(MembershipSignal::loss, at::ones({2}), longs({0, 1})); },
              {"membership_signal", "[n, C]", "[2] float"});
}

TEST_CASE("threshold attack: losses of four members and four others") {
  Echo net;
  const at::Tensor label = at::zeros({4}, at::kLong);
  const Batch members{.data = with_losses({0.1, 0.2, 0.3, 0.9}), .target = label};
  const Batch others{.data = with_losses({0.25, 0.8, 1, 1.2}), .target = label};
  ThresholdAttack attack{.data = members, .others = others, .signal = MembershipSignal::loss, .rate = 0.25};
  const regimen::Numbers expected = {{"area", 0.8125}, {"advantage", 0.5}, {"true_positive_rate", 0.75}};
  check_close(attack(net), expected);
  attack.signal = MembershipSignal::margin;  // of two classes, of one order with the loss
  check_close(attack(net), expected);
  regimen::Probe probe(net);
  probe.fit = members;
  probe.test = others;
  check_close(ThresholdAttack{.rate = 0.25}(probe), expected);
  CHECK(GapAttack{}(probe) == Approx(0.75 - 0.25));  // log 2 is 0.693: three members and one other are predicted
}

TEST_CASE("gap attack: its advantage is fit accuracy - test accuracy, exactly") {
  torch::nn::Sequential net = small_mlp(4, 8, 3);
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    randomize(*net, seed);
    const regimen::Source members = points(97, seed);
    const regimen::Source others = points(61, seed + 10);
    const double gap = regimen::evaluate(net, members).accuracy - regimen::evaluate(net, others).accuracy;
    CHECK(GapAttack{.data = members, .others = others}(net) == gap);
    const ThresholdAttack attack{.data = members, .others = others, .signal = MembershipSignal::correctness};
    CHECK(attack(net).at("advantage") == std::max(0.0, gap));
  }
}

TEST_CASE("threshold attack: batch size and rescaled ReLU units change nothing") {
  torch::nn::Sequential net = small_mlp(4, 8, 3);
  randomize(*net, 1);
  net->train();
  const regimen::Source members = points(50);
  const regimen::Source others = points(40, 7);
  const ThresholdAttack attack{.data = members, .others = others, .rate = 0.2};
  const GapAttack gap{.data = members, .others = others};
  const Kept kept(*net);
  const regimen::Numbers found = attack(net);
  const double gap_found = gap(net);
  kept.check();
  for (const int batch : {1, 7, 50}) {
    check_close(ThresholdAttack{.data = members, .others = others, .rate = 0.2, .how = {.batch = batch}}(net), found);
    CHECK(GapAttack{.data = members, .others = others, .how = {.batch = batch}}(net) == gap_found);
  }
  measured::rescale(net);
  check_close(attack(net), found);
  CHECK(gap(net) == gap_found);
  measured::scale_outputs(net, 5);
  CHECK(gap(net) == gap_found);
  CHECK(attack(net).at("area") != found.at("area"));
}

TEST_CASE("threshold attack: a network of NaN gives NaN, and missing data are errors") {
  Echo net;
  const Batch members{.data = rows({1, 0, nan, 0}, 2), .target = longs({0, 0})};
  const Batch others{.data = rows({1, 0, 0, 1}, 2), .target = longs({0, 0})};
  CHECK(std::isnan(ThresholdAttack{.data = members, .others = others}(net).at("area")));
  const ThresholdAttack by_correctness{
      .data = members, .others = others, .signal = regimen::MembershipSignal::correctness};
  CHECK(by_correctness(net).at("area") == 0.5);  // one of two right in both, NaN being wrong
  CHECK(GapAttack{.data = members, .others = others}(net) == 0);
  check_error([&] { (void)ThresholdAttack{}(net); }, {"ThresholdAttack takes data"});
  check_error([&] { (void)ThresholdAttack{.data = members}(net); }, {"ThresholdAttack.others", "Scoring::test"});
  check_error([&] { (void)GapAttack{.data = members}(net); }, {"GapAttack.others"});
  check_error([] { (void)regimen::AnyMeasure(ThresholdAttack{.rate = 2}); },
              {"ThresholdAttack.rate", "[0, 1]", "is 2"});
}

TEST_CASE("membership_roc: scores of NaN, which judge nothing, are left out") {
  const at::Tensor score = at::tensor({3.0, nan, 1.0, 2.0, nan, 0.0}, at::kDouble);
  const at::Tensor member = bools({1, 1, 0, 1, 0, 0});
  const regimen::Roc curve = regimen::membership_roc(score, member);
  CHECK(curve.members == 2);
  CHECK(curve.others == 2);
  CHECK(curve.area() == 1);
  check_error([&] { (void)regimen::membership_roc(score, longs({1})); }, {"membership_roc", "[1] long"});
  check_error([&] { (void)regimen::membership_roc(score, bools({0, 1, 0, 0, 0, 0})); }, {"roc: members.size()"});
}

}  // namespace membership_test
