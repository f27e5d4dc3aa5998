// Measures of a network on another device than the CPU: the same numbers.

#include "device/gpu.hpp"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <regimen/regimen.hpp>

#include "support/tensors.hpp"

namespace {

namespace rg = regimen;

at::Tensor there(const at::Tensor& tensor) {
  return tensor.to(gpu::device());
}

/// A convolution with BatchNorm, a weight that is normalized, one in einsum, and a position that is added.
struct Net : torch::nn::Module {
  Net() {
    torch::manual_seed(3);
    conv = register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(2, 4, 3).padding(1).bias(false)));
    norm = register_module("norm", torch::nn::BatchNorm2d(4));
    v = register_parameter("v", torch::randn({6, 4}));
    w = register_parameter("w", torch::randn({3, 6}));
    position = register_parameter("position", torch::randn({1, 4}));
    to(at::kDouble);
  }
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor hidden = rg::tap(at::relu(norm(conv(x))).mean({2, 3}) + position);
    return at::einsum("bi,oi->bo", {at::tanh(at::linear(hidden, v / v.norm())), w});
  }
  torch::nn::Conv2d conv{nullptr};
  torch::nn::BatchNorm2d norm{nullptr};
  at::Tensor v, w, position;
};

rg::Batch samples(std::int64_t n, std::uint64_t seed) {
  const at::Tensor id = at::arange(n, at::kLong);
  return {.data = rg::Key(seed, id).normal({2, 5, 5}).to(at::kDouble), .target = rg::Key(seed + 1, id).below(3)};
}

/// Every number of the measures of norms, features and membership.
rg::Numbers numbers_of(Net& net, const at::Tensor& other) {
  const rg::Batch fit = samples(24, 1);
  const rg::Batch test = samples(16, 5);
  const std::vector<std::pair<std::string, rg::AnyMeasure>> measures{
      {"norms", rg::NormSummary{.data = fit, .iteration = {.exact_up_to = 0}}},
      {"margin", rg::MarginPercentile{.data = fit}},
      {"jacobian", rg::InputJacobianNorm{.data = fit}},
      {"jacobian_square", rg::InputJacobianSquare{.data = fit, .draws = {.least = 4, .most = 4}}},
      {"jacobian_spectral", rg::InputJacobianSpectralNorm{.data = fit}},
      {"rank", rg::FeatureRank{.data = fit, .tap = 0}},
      {"collapse", rg::NeuralCollapse{.data = fit, .tap = 0}},
      {"units", rg::Activity{.data = fit}},
      {"attack", rg::ThresholdAttack{.data = fit, .others = test, .rate = 0.2}},
      {"entropy_attack",
       rg::ThresholdAttack{.data = fit, .others = test, .signal = rg::MembershipSignal::modified_entropy}},
      {"gap", rg::GapAttack{.data = fit, .others = test}},
      {"since", rg::Disagreement{.other = other, .data = fit}}};
  rg::Numbers all;
  for (const auto& [name, measure] : measures) {
    all.merge(measure.numbers(name, net));
  }
  return all;
}

}  // namespace

TEST_CASE("device: measures of norms, features and membership have the CPU's numbers there") {
  Net net;
  const at::Tensor other = rg::Key(9, at::arange(24, at::kLong)).normal({3}).to(at::kDouble);
  const rg::Numbers here = numbers_of(net, other);
  net.to(gpu::device());
  const rg::Numbers found = numbers_of(net, other);  // the outputs of the other network are still the CPU's
  REQUIRE(found.size() == here.size());
  CHECK(here.size() > 20);
  CHECK(here.at("norms_unconverged") == 0);
  for (const auto& [name, value] : here) {
    CAPTURE(name, value, found.at(name));
    CHECK(std::isfinite(value));
    CHECK(found.at(name) == Approx(value).epsilon(1e-7));
  }
  CHECK(rg::SpectralNorms{.sample_shape = {2, 5, 5}}(net).count("(computed from v)") == 1);
}

TEST_CASE("device: attacks by references and least squares have the CPU's results there") {
  const at::Tensor id = at::arange(12, at::kLong);
  const at::Tensor signal = rg::Key(1, id).normal({8}).to(at::kDouble).t().contiguous();
  const at::Tensor member = rg::Key(2, id).below(2).unsqueeze(0).add(at::arange(8).unsqueeze(1)).remainder(2) == 1;
  const at::Tensor own = rg::Key(3, id).normal({1}).select(1, 0).to(at::kDouble);
  const rg::ReferenceSignals here{signal, member};
  for (const rg::SignalVariance variance : {rg::SignalVariance::pooled, rg::SignalVariance::each_sample}) {
    const rg::LikelihoodRatioAttack attack{.variance = variance};
    const at::Tensor score = attack(own, here);
    const at::Tensor mixed = attack(there(own), here);  // references that are still the CPU's
    CHECK(mixed.device() == gpu::device());
    CHECK(furthest(mixed.cpu(), score) < 1e-9);
    CHECK(furthest(attack(there(own), {there(signal), there(member)}).cpu(), score) < 1e-9);
    CHECK(rg::membership_roc(mixed, member[0]).area() == rg::membership_roc(score, member[0]).area());
  }
  const rg::RelativeAttack relative;
  CHECK(furthest(relative(there(own), here, own, signal).cpu(), relative(own, here, own, signal)) == 0);
  CHECK(furthest(rg::label_memorization({there(signal), member}).value.cpu(), rg::label_memorization(here).value) <
        1e-12);
  CHECK(furthest(rg::minimum_norm_solution(there(signal), own.slice(0, 0, 8)).cpu(),
                 rg::minimum_norm_solution(signal, own.slice(0, 0, 8))) < 1e-9);
  check_error([&] { (void)rg::margins(there(signal), there(at::full({8}, 12, at::kLong))); }, {"labels in [0, 12)"});
}

TEST_CASE("device: references without a pair and hat matrices have the CPU's results there") {
  const at::Tensor member = rg::reference_halves(8, 12, 1);
  const at::Tensor signal = rg::Key(4, at::arange(12, at::kLong)).normal({8}).to(at::kDouble).t().contiguous();
  const rg::ReferenceSignals here = rg::ReferenceSignals{signal, member}.without({2, 3});
  const rg::ReferenceSignals found = rg::ReferenceSignals{there(signal), member}.without({2, 3});  // the CPU's mask
  CHECK(found.signal.device() == gpu::device());
  CHECK(at::equal(found.signal.cpu(), here.signal));
  CHECK(at::equal(found.member.cpu(), here.member));
  CHECK(furthest(rg::LikelihoodRatioAttack{}(there(signal[2]), found).cpu(),
                 rg::LikelihoodRatioAttack{}(signal[2], here)) < 1e-9);
  const at::Tensor points = signal.slice(0, 0, 3) + 1;
  for (const double penalty : {0.0, 0.5}) {
    const at::Tensor hat = rg::hat_matrix(there(signal), points, penalty);  // the CPU's points
    CHECK(hat.device() == gpu::device());
    CHECK(furthest(hat.cpu(), rg::hat_matrix(signal, points, penalty)) < 1e-9);
  }
}
