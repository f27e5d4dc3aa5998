#include "support/tensors.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/measured.hpp"

namespace disagreement_test {

namespace {

using measured::check_close;
using measured::Echo;
using measured::points;
using measured::rows;
using regimen::Disagreement;

const double nan = std::numeric_limits<double>::quiet_NaN();

/// Logits of the distributions of two networks for three samples.
at::Tensor first() {
  return rows({0.7, 0.3, 0.2, 0.8, 0.6, 0.4}, 2).log();
}
at::Tensor second() {
  return rows({0.4, 0.6, 0.1, 0.9, 0.9, 0.1}, 2).log();
}

/// The divergence of two distributions as it is written.
double by_hand(const std::vector<double>& p, const std::vector<double>& q) {
  double sum = 0;
  for (std::size_t c = 0; c < p.size(); ++c) {
    const double middle = (p[c] + q[c]) / 2;
    sum += p[c] > 0 ? p[c] * std::log(p[c] / middle) / 2 : 0;
    sum += q[c] > 0 ? q[c] * std::log(q[c] / middle) / 2 : 0;
  }
  return sum;
}

}  // namespace

TEST_CASE("disagreement: one of three samples; the divergence of three distributions") {
  CHECK(regimen::disagreement(first(), second()) == Approx(1.0 / 3).epsilon(1e-15));
  const double expected =
      (by_hand({0.7, 0.3}, {0.4, 0.6}) + by_hand({0.2, 0.8}, {0.1, 0.9}) + by_hand({0.6, 0.4}, {0.9, 0.1})) / 3;
  CHECK(expected == Approx(0.0398183).margin(5e-8));
  CHECK(regimen::js_divergence(first(), second()) == Approx(expected).epsilon(1e-12));
  CHECK(regimen::js_divergence(second(), first()) == Approx(expected).epsilon(1e-12));
  CHECK(regimen::js_divergence(first() + 7, second() - 300) == Approx(expected).epsilon(1e-9));
}

TEST_CASE("js_divergence: 0 if equal, ln 2 if disjoint, also with logits of -infinity") {
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(regimen::js_divergence(first(), first()) == Approx(0).margin(1e-15));
  CHECK(regimen::js_divergence(rows({0, -infinity}, 2), rows({-infinity, 0}, 2)) == Approx(std::log(2.0)));
  CHECK(regimen::js_divergence(rows({0, -2000}, 2), rows({-2000, 0}, 2)) == Approx(std::log(2.0)));
  CHECK(regimen::js_divergence(rows({0, 0, -infinity}, 3), rows({0, -infinity, 0}, 3)) ==
        Approx(by_hand({0.5, 0.5, 0}, {0.5, 0, 0.5})).epsilon(1e-12));
  CHECK(std::isnan(regimen::js_divergence(rows({nan, 0}, 2), rows({1, 0}, 2))));
}

TEST_CASE("error_agreement: the share of common errors that are the same error") {
  // Predictions 0 1 2 0 1 and 0 2 2 1 1 for labels 0 0 1 2 2: both wrong on the last four, alike on two of them.
  const at::Tensor a = rows({1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0}, 3);
  const at::Tensor b = rows({1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0}, 3);
  CHECK(regimen::error_agreement(a, b, longs({0, 0, 1, 2, 2})) == 0.5);
  CHECK(regimen::error_agreement(a, b, longs({0, 0, 1, 2, -100})) == Approx(1.0 / 3));
  CHECK(std::isnan(regimen::error_agreement(a, b, longs({0, 1, 2, 0, 1}))));
  CHECK(regimen::error_agreement(a, b.to(at::kFloat), longs({0, 0, 1, 2, 2}).to(at::kInt)) == 0.5);
}

TEST_CASE("disagreement: a network of NaN agrees with nothing, not with itself") {
  const at::Tensor broken = rows({nan, nan, 1, 0}, 2);
  CHECK(regimen::disagreement(broken, broken) == 0.5);
  CHECK(regimen::error_agreement(broken, broken, longs({0, 1})) == 0.5);
}

TEST_CASE("disagreement: as a measure it compares a network with the outputs of another") {
  Echo net;
  const regimen::Source data = regimen::Batch{.data = first(), .target = longs({1, 0, 1})};
  const Disagreement measure{.other = second(), .data = data};
  const regimen::Numbers found = measure(net);
  CHECK(found.at("share") == Approx(1.0 / 3));
  CHECK(found.at("divergence") == regimen::js_divergence(first(), second()));
  CHECK(found.at("error_agreement") == 1);
  CHECK(regimen::AnyMeasure(measure).names("d") ==
        std::vector<std::string>{"d_share", "d_divergence", "d_error_agreement"});
  CHECK(
      std::isnan(Disagreement{.other = second(), .data = regimen::Batch{.data = first()}}(net).at("error_agreement")));
  regimen::Probe probe(net);
  probe.fit = data;
  check_close(Disagreement{.other = second()}(probe), found);
}

TEST_CASE("disagreement: batch size and rescaled ReLU units change nothing") {
  torch::nn::Sequential net = small_mlp(4, 8, 3);
  torch::nn::Sequential other = small_mlp(4, 8, 3);
  randomize(*net, 1);
  randomize(*other, 2);
  net->train();
  const regimen::Source data = points(50);
  const Kept kept(*net);
  const Disagreement measure{.other = regimen::outputs(other, data).output, .data = data};
  const regimen::Numbers found = measure(net);
  CHECK(found.at("share") > 0);
  kept.check();
  for (const int batch : {1, 7, 50}) {
    check_close(Disagreement{.other = measure.other, .data = data, .how = {.batch = batch}}(net), found);
  }
  measured::rescale(net);
  check_close(measure(net), found);
  measured::scale_outputs(net, 3);
  CHECK(measure(net).at("share") == found.at("share"));
  CHECK(std::abs(measure(net).at("divergence") - found.at("divergence")) > 1e-3);
}

TEST_CASE("mean_disagreement: over all pairs, with an interval from leaving out networks") {
  // Predictions 0000, 0001, 0011: pairs disagree on 1/4, 1/2, 1/4, which are the jackknife's values.
  const auto predicting = [](const std::vector<std::int64_t>& classes) {
    return at::one_hot(longs(classes), 2).to(at::kDouble);
  };
  const std::vector<at::Tensor> all = {predicting({0, 0, 0, 0}), predicting({0, 0, 0, 1}), predicting({0, 0, 1, 1})};
  const regimen::PairsMean found = regimen::mean_disagreement(all);
  CHECK(found.mean == Approx(1.0 / 3));
  CHECK(found.least == 0.25);
  CHECK(found.largest == 0.5);
  const double squares = (1.0 / 12) * (1.0 / 12) * 2 + (1.0 / 6) * (1.0 / 6);
  CHECK(found.half_width == Approx(4.302652729911275 * std::sqrt(squares * 2 / 3)).epsilon(1e-9));
  const std::vector<double> far = regimen::over_pairs(all, regimen::js_divergence);
  CHECK(far[1] == regimen::js_divergence(all[0], all[1]));
  CHECK(far[3] == far[1]);
  CHECK(far[0] == 0);
  CHECK(std::isnan(regimen::mean_disagreement({all[0]}).mean));
}

TEST_CASE("disagreement: another shape, no outputs and no data are errors") {
  Echo net;
  check_error([] { (void)regimen::disagreement(first(), rows({1, 0}, 2)); }, {"disagreement", "[3, 2]", "[1, 2]"});
  check_error([] { (void)regimen::js_divergence(first().select(1, 0), first()); }, {"js_divergence", "[n, C]"});
  check_error([] { (void)regimen::error_agreement(first(), first(), longs({1})); }, {"labels of [n]", "[1] long"});
  check_error([&] { (void)Disagreement{.other = first()}(net); }, {"Disagreement takes data"});
  check_error([&] { (void)Disagreement{}(net); }, {"Disagreement.other", "undefined"});
  check_error([] { (void)regimen::AnyMeasure(Disagreement{}); }, {"Disagreement.other", "undefined"});
  const regimen::Source two = regimen::Batch{.data = rows({1, 0, 0, 1}, 2)};
  check_error([&] { (void)Disagreement{.other = first(), .data = two}(net); }, {"Disagreement.other", "[2, 2]"});
}

}  // namespace disagreement_test
