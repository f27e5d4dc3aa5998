// Attacks on membership with reference networks, and label memorization.

#include "support/tensors.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/measured.hpp"
#include "support/small_networks.hpp"

namespace reference_attacks_test {

namespace {

using measured::rows;
using regimen::LikelihoodRatioAttack;
using regimen::ReferenceSignals;
using regimen::RelativeAttack;
using regimen::SignalVariance;

const double nan = std::numeric_limits<double>::quiet_NaN();

at::Tensor doubles(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}

/// P(Z <= z).
double phi(double z) {
  return std::erfc(-z / std::sqrt(2.0)) / 2;
}

/// Two reference networks with a sample and two without, whose signals have the moments of N(4, 1) and N(1, 2).
ReferenceSignals four_references() {
  const double in = std::sqrt(0.5);
  const double out = std::sqrt(2);
  return {.signal = rows({4 - in, 1 - out, 4 + in, 1 + out}, 1), .member = bools({1, 0, 1, 0}).view({4, 1})};
}

/// RMIA pair by pair, in plain probabilities.
double relative_by_hand(double p, double mean, const std::vector<double>& z, const std::vector<double>& mean_of_z,
                        double gamma) {
  double dominated = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    dominated += (p / mean) / (z[i] / mean_of_z[i]) >= gamma ? 1 : 0;
  }
  return dominated / static_cast<double>(z.size());
}

}  // namespace

TEST_CASE("likelihood ratio: N(4, 1) against N(1, 2) at 3 is log 2, and Phi(1) one-sided") {
  const regimen::SignalNormals in{.mean = doubles({4}), .deviation = doubles({1})};
  const regimen::SignalNormals out{.mean = doubles({1}), .deviation = doubles({2})};
  CHECK(regimen::log_likelihood_ratio(doubles({3}), in, out).item<double>() == Approx(std::log(2.0)).epsilon(1e-14));
  for (const SignalVariance variance : {SignalVariance::pooled, SignalVariance::each_sample}) {
    const LikelihoodRatioAttack online{.variance = variance};
    const LikelihoodRatioAttack offline{.online = false, .variance = variance};
    CHECK(online(doubles({3}), four_references()).item<double>() == Approx(std::log(2.0)).epsilon(1e-12));
    CHECK(offline(doubles({3}), four_references()).item<double>() == Approx(1).epsilon(1e-14));
  }
  CHECK(phi(1) == Approx(0.8413447).margin(5e-8));
}

TEST_CASE("likelihood ratio: offline, one-sided, -3 ranks below 5 under N(1, 2)") {
  const LikelihoodRatioAttack offline{.online = false};
  const auto score = [&](double signal) { return offline(doubles({signal}), four_references()).item<double>(); };
  CHECK(score(-3) == Approx(-2).epsilon(1e-12));
  CHECK(score(5) == Approx(2).epsilon(1e-12));
  CHECK(score(40) > score(30));  // Phi of both is 1
}

TEST_CASE("likelihood ratio: offline, networks trained on the sample are not looked at") {
  ReferenceSignals other = four_references();
  other.signal = other.signal.clone();
  other.signal[0].fill_(-50);
  CHECK(LikelihoodRatioAttack{.online = false}(doubles({3}), other).item<double>() == Approx(1).epsilon(1e-12));
}

TEST_CASE("likelihood ratio: the pooled variance is within samples, not among them") {
  // Samples around -4, 0 and 4, networks +-1 around each with the sample, +-2 without: 2 and 8 unbiased. The spread
  // over samples and networks together would be sqrt(32 / 3 + 1) for both.
  const at::Tensor mean = doubles({-4, 0, 4});
  const ReferenceSignals all{.signal = at::stack({mean - 1, mean + 1, mean - 2, mean + 2}),
                             .member = bools({1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0}).view({4, 3})};
  const auto in = regimen::signal_normals(all.signal, all.member);
  const auto out = regimen::signal_normals(all.signal, all.member.logical_not());
  CHECK(in.deviation.item<double>() == Approx(std::sqrt(2.0)).epsilon(1e-14));
  CHECK(out.deviation.item<double>() == Approx(std::sqrt(8.0)).epsilon(1e-14));
  CHECK(furthest(in.mean, mean) == 0);
  CHECK(all.signal.slice(0, 0, 2).std(/*unbiased=*/false).item<double>() == Approx(std::sqrt(32.0 / 3 + 1)));
  const at::Tensor score = LikelihoodRatioAttack{}(mean + 1, all);
  const double expected = -0.25 + 1.0 / 16 + std::log(2.0);
  CHECK(furthest(score, at::full({3}, expected, at::kDouble)) < 1e-12);
}

TEST_CASE("likelihood ratio: the pooled variance of 200 normal samples is that of one") {
  const at::Tensor id = at::arange(200, at::kLong);
  const at::Tensor mean = regimen::Key(1, id).normal().to(at::kDouble) * 2.6;
  const at::Tensor signal = (mean.unsqueeze(1) + regimen::Key(2, id).normal({16}).to(at::kDouble)).t();
  const auto found = regimen::signal_normals(signal, at::ones_like(signal, at::kBool));
  CHECK(found.deviation.item<double>() == Approx(1).margin(0.06));  // 3,000 degrees of freedom: 1.3 % each
  CHECK(signal.std().item<double>() > 2.4);
}

TEST_CASE("likelihood ratio: unbalanced masks, and NaN where a kind of network is missing") {
  // Sample 0 is in three networks and out of one, sample 1 in all, sample 2 in none.
  const ReferenceSignals all{.signal = rows({1, 5, 0, 2, 6, 1, 3, 7, 2, -4, 8, 3}, 3),
                             .member = bools({1, 1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 0}).view({4, 3})};
  const auto in = regimen::signal_normals(all.signal, all.member);
  CHECK(in.mean[0].item<double>() == 2);
  CHECK(in.mean[1].item<double>() == 6.5);
  CHECK(std::isnan(in.mean[2].item<double>()));
  CHECK(in.deviation.item<double>() == Approx(std::sqrt((2.0 + 5) / (2 + 3))));
  const auto out = regimen::signal_normals(all.signal, all.member.logical_not());
  CHECK(out.mean[0].item<double>() == -4);
  CHECK(out.deviation.item<double>() == Approx(std::sqrt(5.0 / 3)));  // of sample 2 alone
  CHECK(std::isnan(regimen::signal_normals(all.signal, all.member.logical_not(), SignalVariance::each_sample)
                       .deviation[0]
                       .item<double>()));
  const at::Tensor score = LikelihoodRatioAttack{}(doubles({2, 6, 1}), all);
  CHECK(score.isnan().equal(bools({0, 1, 1})));
  const at::Tensor offline = LikelihoodRatioAttack{.online = false}(doubles({2, 6, 1}), all);
  CHECK(offline.isnan().equal(bools({0, 1, 0})));
  CHECK(offline[0].item<double>() == Approx(6 / std::sqrt(5.0 / 3)));
}

TEST_CASE("likelihood ratio: equal references of a sample take the pooled variance, and are never divided by 0") {
  // Sample 0 has equal references of each kind, 0.1 three times, whose mean is rounded; sample 1 has 1, 2, 3 and 4,
  // 6, 8.
  const ReferenceSignals all{.signal = rows({0.1, 1, 0.1, 2, 0.1, 3, 0.7, 4, 0.7, 6, 0.7, 8}, 2),
                             .member = bools({0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1}).view({6, 2})};
  const auto out = regimen::signal_normals(all.signal, all.member.logical_not(), SignalVariance::each_sample);
  CHECK(out.deviation[0].item<double>() == Approx(std::sqrt(2.0 / 4)));  // squares 0 and 2, 2 degrees of freedom each
  CHECK(out.deviation[1].item<double>() == Approx(1));
  const LikelihoodRatioAttack each{.variance = SignalVariance::each_sample};
  const at::Tensor score = each(doubles({0.7, 6}), all);
  // Sample 0: variances 2 / 4 out and 8 / 4 in; at the mean in, 0.6 from the mean out.
  CHECK(score[0].item<double>() == Approx(-std::log(std::sqrt(2.0)) + 0.36 / 2 / 0.5 + std::log(std::sqrt(0.5))));
  CHECK(score[1].item<double>() == Approx(-std::log(2.0) + 16.0 / 2));
  const ReferenceSignals equal{.signal = at::full({6, 2}, 0.1, at::kDouble), .member = all.member};
  CHECK(each(doubles({0.7, 6}), equal).isnan().all().item<bool>());
  CHECK(LikelihoodRatioAttack{}(doubles({0.7, 0.1}), equal).isnan().all().item<bool>());
}

TEST_CASE("likelihood ratio: the area in closed form for samples of all difficulties") {
  // Signals of N(m, 1) for the networks without a sample and N(m + 1, 1) for those with it, m of N(0, 5). With many
  // networks the area is that of N(1, 1) against N(0, 1), Phi(1 / sqrt 2) = 0.760, and of the signal alone
  // Phi(1 / sqrt(2 (1 + 25))) = 0.555.
  const at::Tensor id = at::arange(4000, at::kLong);
  const at::Tensor mean = regimen::Key(1, id).normal().to(at::kDouble) * 5;
  const at::Tensor masks = regimen::Key(2, id).uniform({65}).t() < 0.5;
  const at::Tensor signals =
      (mean.unsqueeze(1) + regimen::Key(3, id).normal({65}).to(at::kDouble)).t() + masks.to(at::kDouble);
  const ReferenceSignals references{.signal = signals.slice(0, 1), .member = masks.slice(0, 1)};
  const auto area = [&](const at::Tensor& score) { return regimen::membership_roc(score, masks[0]).area(); };
  CHECK(area(signals[0]) == Approx(phi(1 / std::sqrt(52.0))).margin(0.03));
  for (const SignalVariance variance : {SignalVariance::pooled, SignalVariance::each_sample}) {
    for (const bool online : {true, false}) {
      CAPTURE(online, regimen::name_of(variance));
      const LikelihoodRatioAttack attack{.online = online, .variance = variance};
      CHECK(area(attack(signals[0], references)) == Approx(phi(1 / std::sqrt(2.0))).margin(0.03));
    }
  }
}

TEST_CASE("relative attack: of three population samples gamma 1 dominates two, 2 one") {
  const ReferenceSignals references{.signal = rows({0.5, 0.3, 0.99}, 1).log(),
                                    .member = bools({0, 0, 1}).view({3, 1})};  // the last one is not looked at
  const at::Tensor z = doubles({0.6, 0.2, 0.95}).log();
  const at::Tensor of_z = doubles({0.5, 0.4, 0.3}).log().unsqueeze(0);
  const auto score = [&](double a, double gamma) {
    return RelativeAttack{.a = a, .gamma = gamma}(doubles({0.9}).log(), references, z, of_z).item<double>();
  };
  CHECK(score(0.5, 1) == Approx(2.0 / 3).epsilon(1e-15));
  CHECK(score(0.5, 2) == Approx(1.0 / 3).epsilon(1e-15));
  for (const double a : {0.0, 0.3, 0.7, 1.0}) {
    for (const double gamma : {0.5, 0.9, 1.1, 1.5, 3.0}) {
      CAPTURE(a, gamma);
      const auto mean = [a](double out) { return ((1 + a) * out + 1 - a) / 2; };
      const double expected =
          relative_by_hand(0.9, mean(0.4), {0.6, 0.2, 0.95}, {mean(0.5), mean(0.4), mean(0.3)}, gamma);
      CHECK(score(a, gamma) == Approx(expected).epsilon(1e-15));
    }
  }
}

TEST_CASE("relative attack: masks of any balance: each mean is over its own networks") {
  // A sample that one of four networks is without. Taking the two largest of the signals without others, padded by
  // zeros, would give p_out = 0.3 and a ratio of 1.5.
  const ReferenceSignals references{.signal = rows({0.6, 0.8, 0.7, 0.9}, 1).log(),
                                    .member = bools({0, 1, 1, 1}).view({4, 1})};
  const at::Tensor z = doubles({1.2, 0.9}).log();  // ratios, for references of probability 1
  const at::Tensor of_z = at::zeros({1, 2}, at::kDouble);
  const at::Tensor p = doubles({0.45}).log();
  CHECK(RelativeAttack{.a = 1}(p, references, z, of_z).item<double>() == 0);                  // 0.45 / 0.6 = 0.75
  CHECK(RelativeAttack{.a = 1}(p + std::log(2.0), references, z, of_z).item<double>() == 1);  // 1.5
  const at::Tensor online = RelativeAttack{.online = true, .a = 1}(doubles({0.7}).log(), references, z, of_z);
  CHECK(online.item<double>() == 0.5);  // 0.7 / ((0.8 + 0.6) / 2) = 1
}

TEST_CASE("relative attack: equal ratios dominate, and tiny probabilities keep their order") {
  const ReferenceSignals references{.signal = at::full({2, 3}, -1000.0, at::kDouble),
                                    .member = at::zeros({2, 3}, at::kBool)};
  const at::Tensor population = doubles({-999.5, -1001});
  const at::Tensor of_population = at::full({2, 2}, -1000.0, at::kDouble);
  const at::Tensor score =
      RelativeAttack{.a = 1}(doubles({-1002, -1000, -999.5}), references, population, of_population);
  CHECK(furthest(score, doubles({0, 0.5, 1})) == 0);
}

TEST_CASE("relative attack: NaN where no network is of the kind that is asked for") {
  const ReferenceSignals references{.signal = rows({0.5, 0.5, 0.5, 0.5}, 2).log(),
                                    .member = bools({1, 0, 1, 0}).view({2, 2})};
  const at::Tensor z = doubles({0.6}).log();
  const at::Tensor of_z = doubles({0.5}).log().unsqueeze(0);
  const at::Tensor x = doubles({0.5, 0.5}).log();
  CHECK(RelativeAttack{}(x, references, z, of_z).isnan().equal(bools({1, 0})));
  CHECK(RelativeAttack{.online = true}(x, references, z, of_z).isnan().equal(bools({1, 1})));
}

TEST_CASE("label memorization: mean correctness with a sample minus without it") {
  const ReferenceSignals correct{.signal = rows({1, 1, 1, 1, 0, 1, 0, 1, 0, 1, 0, 1}, 3),
                                 .member = bools({1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 1}).view({4, 3})};
  const regimen::LabelMemorization found = regimen::label_memorization(correct);
  CHECK(found.value[0].item<double>() == 0.5);                   // 1, 1 against 0, 1
  CHECK(found.standard_error[0].item<double>() == Approx(0.5));  // sqrt(0 / 2 + 0.5 / 2)
  CHECK(found.value[1].item<double>() == Approx(2.0 / 3));       // 1, 0, 1 against 0
  CHECK(std::isnan(found.standard_error[1].item<double>()));
  CHECK(std::isnan(found.value[2].item<double>()));  // never out
  CHECK(found.trained.equal(longs({2, 3, 4})));
  CHECK(found.untrained.equal(longs({2, 1, 0})));
}

TEST_CASE("label memorization: two standard errors hold the truth in 95 % of 3,000 samples") {
  const at::Tensor id = at::arange(3000, at::kLong);
  const at::Tensor member = regimen::Key(1, id).uniform({80}).t() < 0.6;
  const at::Tensor chance = member.to(at::kDouble) * 0.4 + 0.4;  // 0.8 with the sample, 0.4 without
  const at::Tensor correct = (regimen::Key(2, id).uniform({80}).t() < chance).to(at::kDouble);
  const auto found = regimen::label_memorization({.signal = correct, .member = member});
  const at::Tensor held = (found.value - 0.4).abs() <= 1.959963984540054 * found.standard_error;
  const double share = held.to(at::kDouble).mean().item<double>();
  CHECK(share > 0.93);
  CHECK(share < 0.97);
  CHECK(found.value.mean().item<double>() == Approx(0.4).margin(0.01));
}

TEST_CASE("reference attacks: rescaled ReLU units change nothing, the scale of the logits no correctness") {
  const regimen::Batch data = measured::points(40);
  std::vector<torch::nn::Sequential> nets;
  for (std::uint64_t seed = 1; seed <= 7; ++seed) {
    nets.push_back(small_mlp(4, 8, 3));
    randomize(*nets.back(), seed);
  }
  const auto signal = [&](regimen::MembershipSignal kind, torch::nn::Sequential& net) {
    const at::NoGradGuard no_grad;
    return regimen::membership_signal(kind, net->forward(data.data), data.target);
  };
  // The first network is attacked. Of the six others, three saw each sample; the population are the first ten samples.
  const at::Tensor member = (at::arange(6).unsqueeze(1) + at::arange(40)) % 2 == 0;
  const auto of_references = [&](regimen::MembershipSignal kind) {
    std::vector<at::Tensor> all;
    for (std::size_t i = 1; i < nets.size(); ++i) {
      all.push_back(signal(kind, nets[i]));
    }
    return ReferenceSignals{.signal = at::stack(all), .member = member};
  };
  struct Scores {
    at::Tensor likelihood, relative, memorized;
  };
  const auto scores = [&] {
    const ReferenceSignals log_p = of_references(regimen::MembershipSignal::loss);
    const at::Tensor attacked = signal(regimen::MembershipSignal::loss, nets[0]);
    return Scores{
        .likelihood = LikelihoodRatioAttack{}(signal(regimen::MembershipSignal::margin, nets[0]),
                                              of_references(regimen::MembershipSignal::margin)),
        .relative = RelativeAttack{}(attacked, log_p, attacked.slice(0, 0, 10), log_p.signal.slice(1, 0, 10)),
        .memorized = regimen::label_memorization(of_references(regimen::MembershipSignal::correctness)).value};
  };
  const Scores before = scores();
  for (torch::nn::Sequential& net : nets) {
    measured::rescale(net);
  }
  const Scores rescaled = scores();
  CHECK(furthest(rescaled.likelihood, before.likelihood) < 1e-9);
  CHECK(furthest(rescaled.relative, before.relative) == 0);
  CHECK(furthest(rescaled.memorized, before.memorized) == 0);
  for (torch::nn::Sequential& net : nets) {
    measured::scale_outputs(net, 4);
  }
  const Scores scaled = scores();
  CHECK(furthest(scaled.likelihood, before.likelihood) > 0.1);
  CHECK(furthest(scaled.relative, before.relative) > 0.1);
  CHECK(furthest(scaled.memorized, before.memorized) == 0);
}

TEST_CASE("reference attacks: other shapes, settings and NaN are errors") {
  const ReferenceSignals good = four_references();
  const at::Tensor one = doubles({3});
  check_error([&] { (void)LikelihoodRatioAttack{}(doubles({3, 4}), good); }, {"signals of [n]", "[2] double"});
  check_error([&] { (void)LikelihoodRatioAttack{}(one, {good.signal, good.signal}); },
              {"[R, n] bool", "[4, 1] double"});
  check_error([&] { (void)LikelihoodRatioAttack{}(one, {good.signal * nan, good.member}); }, {"finite", "diverged"});
  check_error([] { (void)regimen::label_memorization({}); }, {"label_memorization", "undefined"});
  const auto relative = [&](const RelativeAttack& attack, const at::Tensor& z, const at::Tensor& of_z) {
    (void)attack(one, good, z, of_z);
  };
  const at::Tensor of_one = one.unsqueeze(0);
  check_error([&] { relative({.a = 2}, one, of_one); }, {"RelativeAttack.a", "[0, 1]", "is 2"});
  check_error([&] { relative({.gamma = 0}, one, of_one); }, {"RelativeAttack.gamma", "above 0", "is 0"});
  check_error([&] { relative({}, one, at::Tensor()); }, {"population", "undefined"});
  check_error([&] { relative({}, doubles({1, 2}), of_one); }, {"population", "[2] double"});
  check_error([&] { relative({}, one * nan, of_one); }, {"population", "finite"});
}

}  // namespace reference_attacks_test
