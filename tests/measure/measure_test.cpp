#include "support/small_networks.hpp"

#include <cmath>
#include <functional>
#include <stdexcept>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/tensors.hpp"

namespace measure_test {

namespace {

using regimen::Batch;
using regimen::Model;
using regimen::Snapshot;
using torch::nn::BatchNorm1d;
using torch::nn::BatchNorm1dOptions;
using torch::nn::Linear;
using torch::nn::LinearOptions;
using torch::nn::ReLU;
using torch::nn::Sequential;

/// Linear and BatchNorm in eval mode as the one Linear that they are.
Linear folded(const Linear& linear, const BatchNorm1d& norm) {
  const at::NoGradGuard no_grad;
  Linear result(linear->options.in_features(), linear->options.out_features());
  result->to(at::kDouble);
  at::Tensor gain = 1 / (norm->running_var + norm->options.eps()).sqrt();
  at::Tensor shift = -norm->running_mean * gain;
  if (norm->weight.defined()) {
    gain = gain * norm->weight;
    shift = norm->bias - norm->running_mean * gain;
  }
  result->weight.copy_(linear->weight * gain.unsqueeze(1));
  result->bias.copy_(shift);
  return result;
}

}  // namespace

TEST_CASE("measure: l2_norm is that of all parameters together, buffers left out") {
  Sequential net(Linear(1, 2), BatchNorm1d(2));
  const at::NoGradGuard no_grad;
  net->parameters()[0].copy_(at::tensor({3.0F, 4.0F}).view({2, 1}));
  net->parameters()[1].copy_(at::tensor({0.0F, 12.0F}));
  net->parameters()[2].zero_();
  net->parameters()[3].zero_();
  CHECK(regimen::l2_norm(net) == Approx(13));
  net->buffers()[0].fill_(100);
  CHECK(regimen::l2_norm(net) == Approx(13));
}

TEST_CASE("measure: l2_norm is summed in double") {
  Sequential net(Linear(4096, 1024));
  const at::NoGradGuard no_grad;
  net->parameters()[0].fill_(0.1F);
  net->parameters()[1].zero_();
  const double expected = std::sqrt(4096.0 * 1024.0) * static_cast<double>(0.1F);
  CHECK(regimen::l2_norm(net) == Approx(expected).epsilon(1e-12));
}

TEST_CASE("measure: distance is that from the snapshot, of the parameters alone") {
  Sequential net(Linear(2, 2), BatchNorm1d(2));
  const Snapshot start(net);
  CHECK(regimen::distance(net, start) == 0);
  const at::NoGradGuard no_grad;
  net->parameters()[0][0][1] += 3;
  net->parameters()[1][1] -= 4;
  net->buffers()[0].fill_(9);
  CHECK(regimen::distance(net, start) == Approx(5).epsilon(1e-6));
  CHECK(regimen::DistanceFrom{start}(net) == regimen::distance(net, start));
  start.restore();
  CHECK(regimen::distance(net, start) == 0);
}

TEST_CASE("measure: relative distance, cosine and heading are those of the parameters as one vector") {
  Sequential net(Linear(2, 1), BatchNorm1d(1));
  const at::NoGradGuard no_grad;
  const auto set = [&](std::vector<double> values) {
    for (const at::Tensor& parameter : net->parameters()) {
      for (std::int64_t i = 0; i < parameter.numel(); ++i) {
        parameter.flatten()[i] = values.front();
        values.erase(values.begin());
      }
    }
  };
  set({3, 4, 0, 0, 0});
  const Snapshot start(net);
  CHECK(regimen::RelativeDistanceFrom{start}(net) == 0);
  CHECK(regimen::CosineTo{start}(net) == Approx(1));
  set({3, 4, 12, 0, 0});
  const Snapshot goal(net);
  CHECK(regimen::RelativeDistanceFrom{start}(net) == Approx(12.0 / 5));
  CHECK(regimen::CosineTo{start}(net) == Approx(5.0 / 13));
  set({3, 4, 1, 0, 0});
  CHECK(regimen::HeadingTo{.from = start, .to = goal}(net) == Approx(1));
  set({3, 4, -2, 0, 0});
  CHECK(regimen::HeadingTo{.from = start, .to = goal}(net) == Approx(-1));
  set({3, 4, 0, 0, 7});
  CHECK(regimen::HeadingTo{.from = start, .to = goal}(net) == 0);
  set({6, 8, 5, 0, 0});
  CHECK(regimen::HeadingTo{.from = start, .to = goal}(net) == Approx(5 / std::sqrt(50)));
  net->buffers()[0].fill_(100);
  CHECK(regimen::CosineTo{start}(net) == Approx(50 / (5 * std::sqrt(125))));
  start.restore();
  CHECK(std::isnan(regimen::HeadingTo{.from = start, .to = goal}(net)));
}

TEST_CASE("measure: distance refuses a snapshot of another shape") {
  Sequential net(Linear(2, 2));
  Sequential wider(Linear(2, 3));
  Sequential deeper(Linear(2, 2), Linear(2, 2));
  const Snapshot start(net);
  check_error([&] { (void)regimen::distance(wider, start); }, {"distance", "0.weight"});
  check_error([&] { (void)regimen::distance(deeper, start); }, {"distance", "1.weight"});
}

TEST_CASE("measure: path_norm is the p-th root of the sum over all paths") {
  Sequential net = small_mlp();
  for (const std::uint64_t seed : {1, 2, 3}) {
    randomize(*net, seed);
    for (const double p : {1.0, 1.5, 2.0, 3.0}) {
      CAPTURE(seed, p);
      CHECK(regimen::path_norm(net, {2}, p) == Approx(std::pow(brute_force(net, p), 1 / p)).epsilon(1e-12));
    }
  }
  CHECK(regimen::path_norm(net, {2}) == regimen::path_norm(net, {2}, 2));
}

TEST_CASE("measure: path_norm does not change when ReLU units are rescaled, where l2_norm does") {
  Sequential net = small_mlp(4, 8, 3);
  randomize(*net, 5);
  const double before = regimen::path_norm(net, {4});
  const double l2_before = regimen::l2_norm(net);
  const at::Tensor x = at::randn({10, 4}, at::kDouble);
  const at::Tensor output = net->forward(x).detach();
  {
    const at::NoGradGuard no_grad;
    const at::Tensor factors = at::rand({8}, at::kDouble) * 5 + 0.1;
    auto parameters = net->named_parameters();
    parameters["0.weight"].mul_(factors.unsqueeze(1));
    parameters["0.bias"].mul_(factors);
    parameters["2.weight"].div_(factors);
  }
  REQUIRE(furthest(net->forward(x), output) < 1e-12);
  for (const double p : {1.0, 2.0}) {
    CHECK(regimen::path_norm(net, {4}, p) == Approx(std::pow(brute_force(net, p), 1 / p)).epsilon(1e-12));
  }
  CHECK(regimen::path_norm(net, {4}) == Approx(before).epsilon(1e-12));
  CHECK(std::abs(regimen::l2_norm(net) - l2_before) > 0.1);
}

TEST_CASE("measure: path_norm with BatchNorm is that of the network with BatchNorm folded away") {
  // Small variances, as those of small weights, are where the layer's epsilon shows.
  for (const double variance : {1.0, 1e-3, 1e-6}) {
    for (const bool affine : {true, false}) {
      Linear first(LinearOptions(4, 6).bias(false));
      BatchNorm1d norm(BatchNorm1dOptions(6).affine(affine));
      Linear second(LinearOptions(6, 5).bias(false));
      BatchNorm1d second_norm(BatchNorm1dOptions(5).affine(affine));
      Linear last(5, 3);
      Sequential net(first, norm, ReLU(), second, second_norm, ReLU(), last);
      net->to(at::kDouble);
      randomize(*net, 7, variance);
      Sequential plain(folded(first, norm), ReLU(), folded(second, second_norm), ReLU(), last);
      const at::Tensor x = at::randn({10, 4}, at::kDouble);
      net->eval();
      const at::Tensor output = plain->forward(x).detach();
      REQUIRE(furthest(net->forward(x), output) < 1e-10 * output.abs().max().item<double>());
      for (const double p : {1.0, 2.0, 3.0}) {
        if (!affine && std::pow(variance, p) < 1e-10) {
          continue;  // without a gain, sigma^(2p) has to stand beside epsilon in one number
        }
        CAPTURE(variance, affine, p);
        CHECK(regimen::path_norm(net, {4}, p) == Approx(regimen::path_norm(plain, {4}, p)).epsilon(1e-9));
      }
    }
  }
}

TEST_CASE("measure: path_norm takes the epsilon of BatchNorms that were made with another") {
  for (const double epsilon : {0.0, 1e-3, 0.1}) {
    Linear first(LinearOptions(4, 6).bias(false));
    BatchNorm1d norm(BatchNorm1dOptions(6).eps(epsilon));
    Linear last(6, 3);
    Sequential net(first, norm, ReLU(), last);
    net->to(at::kDouble);
    randomize(*net, 7, /*variance=*/1e-3);
    net->eval();
    Sequential plain(folded(first, norm), ReLU(), last);
    const Model model(net);
    for (const double p : {1.0, 2.0}) {
      CAPTURE(epsilon, p);
      const double expected = regimen::path_norm(plain, {4}, p);
      CHECK(regimen::path_norm(net, {4}, p, epsilon) == Approx(expected).epsilon(1e-9));
      CHECK(std::abs(regimen::path_norm(net, {4}, p) / expected - 1) > 1e-3);
      const regimen::PathNorm penalty{.strength = 1, .p = p, .epsilon = epsilon};
      const at::Tensor norm_to_p =
          penalty.penalty({.batch = {.data = at::zeros({1, 4}, at::kDouble)}, .model = &model});
      CHECK(norm_to_p.item<double>() == Approx(std::pow(expected, p)).epsilon(1e-9));
    }
  }
  Sequential net = small_mlp();
  check_error([&] { (void)regimen::path_norm(net, {2}, 2, 1); }, {"path_norm: epsilon", "in [0, 1)", "is 1"});
}

TEST_CASE("measure: path_norm of a convolution counts the paths through every pixel") {
  // One channel, a 2 x 2 kernel of w over 3 x 3 pixels: 4 windows of 4 paths each, then one weight a window.
  Sequential net(torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 1, 2).bias(false)), ReLU(), torch::nn::Flatten(),
                 Linear(LinearOptions(4, 1).bias(false)));
  const at::NoGradGuard no_grad;
  net->parameters()[0].fill_(-2);
  net->parameters()[1].fill_(3);
  CHECK(regimen::path_norm(net, {1, 3, 3}, 1) == Approx(16 * 6));
  CHECK(regimen::path_norm(net, {1, 3, 3}, 2) == Approx(std::sqrt(16 * 36)));
}

TEST_CASE("measure: path_norm puts everything back, also after an exception") {
  Sequential net(Linear(LinearOptions(3, 4).bias(false)), BatchNorm1d(4), ReLU(), torch::nn::Dropout(), Linear(4, 2));
  net->train();
  net->forward(at::randn({6, 3})).sum().backward();
  net->parameters()[1].mutable_grad() = at::Tensor();
  net[1]->eval();
  const Kept kept(*net);
  (void)regimen::path_norm(net, {3});
  kept.check();
  (void)regimen::l2_norm(net);
  (void)regimen::distance(net, Snapshot(net));
  kept.check();
  const Model fails(net, [](Sequential&, const Batch&) -> at::Tensor { throw std::runtime_error("no output"); });
  CHECK_THROWS_AS((void)regimen::path_norm(fails, {3}), std::runtime_error);
  kept.check();
  CHECK(at::GradMode::is_enabled());
}

TEST_CASE("measure: path_norm takes p of at least 1 and a model with parameters") {
  Sequential net = small_mlp();
  check_error([&] { (void)regimen::path_norm(net, {2}, 0.5); }, {"path_norm: p", "at least 1", "is 0.5"});
  Sequential none{ReLU(), torch::nn::Flatten()};
  check_error([&] { (void)regimen::path_norm(none, {2}); }, {"path norm", "parameters"});
}

TEST_CASE("measure: functions and structs are measures alike") {
  Sequential net = small_mlp();
  randomize(*net, 3);
  const std::vector<regimen::AnyMeasure> measures{regimen::l2_norm, regimen::DistanceFrom{Snapshot(net)},
                                                  [](const Model& model) { return regimen::path_norm(model, {2}); }};
  CHECK(measures[0](net) == regimen::l2_norm(net));
  CHECK(measures[1](net) == 0);
  CHECK(measures[2](net) == regimen::path_norm(net, {2}));
}

TEST_CASE("measure: complex parameters count by their moduli") {
  struct Phases {
    at::Tensor weight = at::complex(at::tensor({3.F, 0.F}), at::tensor({4.F, 1.F})).set_requires_grad(true);

    at::Tensor forward(const at::Tensor& x) { return x * at::real(weight); }
    std::vector<at::Tensor> parameters() { return {weight}; }
    std::vector<at::Tensor> buffers() { return {}; }
  };
  Phases net;
  CHECK(regimen::l2_norm(net) == Approx(std::sqrt(26.0)));
  const Snapshot start(net);
  {
    const at::NoGradGuard no_grad;
    net.weight.mul_(c10::complex<float>(0, 1));  // a quarter turn of each number
  }
  CHECK(regimen::distance(net, start) == Approx(std::sqrt(2 * 26.0)));
  CHECK(regimen::RelativeDistanceFrom{start}(net) == Approx(std::sqrt(2.0)));
  CHECK(regimen::CosineTo{start}(net) == Approx(0).margin(1e-12));
  check_error([&] { (void)regimen::path_norm(net, {2}); }, {"real weights", "parameter0"});
}

TEST_CASE("measure: a path norm runs pooling as it is: a mean counts its share once, and a maximum one of its paths") {
  // One weight of 2 and a window of four pixels. As a convolution the mean has four paths of |2 / 4|^p.
  for (const bool mean : {true, false}) {
    torch::nn::Sequential net(torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 1, 1).bias(false)));
    mean ? net->push_back(torch::nn::AvgPool2d(2)) : net->push_back(torch::nn::MaxPool2d(2));
    const at::NoGradGuard no_grad;
    net->parameters()[0].fill_(2);
    CHECK(regimen::path_norm(net, {1, 2, 2}, 2) == Approx(2));
    CHECK(regimen::path_norm(net, {1, 2, 2}, 1) == Approx(2));  // of a mean with p = 1 that is the sum over paths
  }
  torch::nn::Sequential as_convolution(torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 1, 1).bias(false)),
                                       torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 1, 2).bias(false)));
  const at::NoGradGuard no_grad;
  as_convolution->parameters()[0].fill_(2);
  as_convolution->parameters()[1].fill_(0.25);
  CHECK(regimen::path_norm(as_convolution, {1, 2, 2}, 2) == Approx(1));
}

TEST_CASE("measure: what looks at weights alone asks for no forward") {
  struct Bag : torch::nn::Module {
    Bag() { weight = register_parameter("weight", at::full({4}, 0.5)); }
    torch::Tensor forward(int a, int b) { return weight * a * b; }
    torch::Tensor weight;
  };
  Bag bag;
  CHECK(regimen::l2_norm(bag) == Approx(1));
  const Snapshot start(bag);
  {
    const at::NoGradGuard no_grad;
    bag.weight.add_(1);
  }
  CHECK(regimen::distance(bag, start) == Approx(2));
  start.restore();
  CHECK(regimen::DistanceFrom{start}(bag) == 0);
}

TEST_CASE("measure: one that takes a Probe is given what the phase knows, one that takes a model the model") {
  const auto sides = [](const regimen::Probe& probe) { return static_cast<double>(probe.clock.epoch); };
  const auto plain = [](const Model& model) { return static_cast<double>(model.parameters().size()); };
  const auto any = [](const auto& model) { return static_cast<double>(model.parameters().size()); };
  torch::nn::Sequential net(Linear(2, 2));
  regimen::Probe probe(net);
  probe.clock.epoch = 7;
  CHECK(regimen::AnyMeasure(sides)(probe) == 7);
  CHECK(regimen::AnyMeasure(plain)(probe) == 2);
  CHECK(regimen::AnyMeasure(any)(probe) == 2);
  CHECK(regimen::AnyMeasure(regimen::l2_norm)(probe) == regimen::l2_norm(net));
  CHECK_FALSE(regimen::AnyMeasure(std::function<double(const Model&)>()));
  CHECK_FALSE(regimen::AnyMeasure(nullptr));
}

}  // namespace measure_test
