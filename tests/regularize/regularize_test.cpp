#include "support/small_networks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/tensors.hpp"

namespace regularize_test {

namespace {

using regimen::AnyRegularizer;
using regimen::Batch;
using regimen::ClipGradients;
using regimen::L1;
using regimen::L2;
using regimen::MaxNorm;
using regimen::Model;
using regimen::Pass;
using regimen::PathNorm;
using torch::nn::BatchNorm1d;
using torch::nn::Linear;
using torch::nn::LinearOptions;
using torch::nn::ReLU;
using torch::nn::Sequential;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Doubles with every epoch.
double doubling(const regimen::Clock& clock) {
  return std::ldexp(1, clock.epoch);
}

regimen::Moment at_epoch(int epoch) {
  return {.clock = {.epoch = epoch}};
}

Pass pass_of(const at::Tensor& parameter, const regimen::Moment& now = {}) {
  return {.parameters = {parameter}, .now = now};
}

at::Tensor parameter(std::initializer_list<double> values) {
  return at::tensor(values, at::kFloat).requires_grad_(true);
}

/// With BatchNorm in the middle, whose gain and shift belong to the paths.
Sequential normalized_net() {
  Sequential net(Linear(LinearOptions(3, 4).bias(false)), BatchNorm1d(4), ReLU(), Linear(4, 2));
  net->to(at::kDouble);
  return net;
}

Pass path_pass(const Model& model, std::int64_t inputs) {
  return {.parameters = model.parameters(), .batch = {.data = at::zeros({5, inputs}, at::kDouble)}, .model = &model};
}

std::vector<at::Tensor> gradients_of(Sequential& net) {
  std::vector<at::Tensor> result;
  for (at::Tensor& parameter : net->parameters()) {
    result.push_back(parameter.grad().defined() ? parameter.grad().clone() : at::zeros_like(parameter));
    parameter.mutable_grad() = at::Tensor();
  }
  return result;
}

struct EveryHook {
  double strength = 2;
  std::vector<std::string>* log = nullptr;

  [[nodiscard]] at::Tensor penalty(const Pass& pass) const {
    log->push_back("penalty");
    return pass.parameters[0].sum() * strength;
  }
  void gradient(const Pass& pass) const {
    log->push_back("gradient");
    pass.parameters[0].grad().mul_(strength);
  }
  void weights(const Pass& pass) const {
    log->push_back("weights");
    const at::NoGradGuard no_grad;
    at::Tensor weight = pass.parameters[0];
    weight.add_(strength);
  }
};

}  // namespace

TEST_CASE("L2: is half the strength times the sum of squares, and its gradient strength * w") {
  const at::Tensor a = parameter({1, -2, 3});
  const at::Tensor b = parameter({4, 0, 0, 1});
  const at::Tensor penalty = L2{.strength = 0.1}.penalty({.parameters = {a, b.view({2, 2})}});
  CHECK(penalty.dim() == 0);
  CHECK(penalty.item<double>() == Approx(0.05 * (14 + 17)).epsilon(1e-6));
  penalty.backward();
  CHECK(furthest(a.grad(), a * 0.1) < 1e-7);
  CHECK(furthest(b.grad(), b * 0.1) < 1e-7);
}

TEST_CASE("L2: a step with it is a step with the optimizer's weight decay") {
  torch::manual_seed(1);
  Sequential ours(Linear(4, 3), ReLU(), Linear(3, 2));
  Sequential theirs(Linear(4, 3), ReLU(), Linear(3, 2));
  regimen::Snapshot(ours).restore(theirs);
  torch::optim::SGD plain(ours->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  torch::optim::SGD decaying(theirs->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(0.05));
  const at::Tensor x = at::randn({8, 4});
  for (int i = 0; i < 3; ++i) {
    plain.zero_grad();
    decaying.zero_grad();
    (ours->forward(x).square().mean() + L2{.strength = 0.05}.penalty({.parameters = ours->parameters()})).backward();
    theirs->forward(x).square().mean().backward();
    plain.step();
    decaying.step();
  }
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(furthest(ours->parameters()[i], theirs->parameters()[i]) < 1e-6);
  }
}

TEST_CASE("L1: is the strength times the sum of absolutes, and its gradient strength * sign(w)") {
  const at::Tensor a = parameter({1, -2, 0});
  const at::Tensor penalty = L1{.strength = 0.1}.penalty(pass_of(a));
  CHECK(penalty.item<double>() == Approx(0.3).epsilon(1e-6));
  penalty.backward();
  CHECK(furthest(a.grad(), at::tensor({0.1, -0.1, 0.0})) < 1e-7);
}

TEST_CASE("L1 and L2: without parameters they are 0") {
  CHECK(L1{}.penalty({}).item<double>() == 0);
  CHECK(L2{}.penalty({}).item<double>() == 0);
}

TEST_CASE("regularize: a strength may be a schedule, read at the pass's moment") {
  const at::Tensor a = parameter({3, 4});
  for (const int epoch : {0, 1, 5}) {
    const double factor = std::ldexp(1, epoch);
    CHECK(L2{.strength = doubling}.penalty(pass_of(a, at_epoch(epoch))).item<double>() == Approx(12.5 * factor));
    CHECK(L1{.strength = doubling}.penalty(pass_of(a, at_epoch(epoch))).item<double>() == Approx(7 * factor));
  }
  Sequential net = small_mlp();
  randomize(*net, 1);
  const Model model(net);
  Pass pass = path_pass(model, 2);
  pass.now = at_epoch(3);
  CHECK(PathNorm{.strength = doubling}.penalty(pass).item<double>() == Approx(8 * brute_force(net, 2)));

  at::Tensor clipped = parameter({0, 0});
  clipped.mutable_grad() = at::tensor({30.0F, 40.0F});
  ClipGradients{.max_norm = doubling}.gradient(pass_of(clipped, at_epoch(2)));
  CHECK(clipped.grad().norm().item<double>() == Approx(4).epsilon(1e-5));

  at::Tensor row = parameter({30, 40});
  MaxNorm{.bound = doubling}.weights(pass_of(row.view({1, 2}), at_epoch(3)));
  CHECK(row.norm().item<double>() == Approx(8).epsilon(1e-5));
}

TEST_CASE("PathNorm: is strength times the sum over all paths, path_norm to the power p") {
  Sequential net = small_mlp();
  const Model model(net);
  for (const double p : {1.0, 1.5, 2.0, 3.0}) {
    CAPTURE(p);
    randomize(*net, 11);
    const double penalty = PathNorm{.strength = 0.3, .p = p}.penalty(path_pass(model, 2)).item<double>();
    CHECK(penalty == Approx(0.3 * brute_force(net, p)).epsilon(1e-12));
    CHECK(penalty == Approx(0.3 * std::pow(regimen::path_norm(net, {2}, p), p)).epsilon(1e-12));
  }
}

TEST_CASE("PathNorm: its gradient is that of the sum over all paths, by finite differences") {
  Sequential mlp = small_mlp();
  Sequential normalized = normalized_net();
  for (Sequential& net : std::vector<Sequential>{mlp, normalized}) {
    const std::int64_t inputs = net->parameters()[0].size(1);
    const Model model(net);
    for (const double variance : {1.0, 1e-4}) {
      randomize(*net, 13, variance);
      for (const double p : {1.0, 2.0, 3.0}) {
        const PathNorm regularizer{.strength = 0.5, .p = p};
        const at::Tensor penalty = regularizer.penalty(path_pass(model, inputs));
        penalty.backward();
        const std::vector<at::Tensor> gradients = gradients_of(net);
        const auto value = [&] { return 0.5 * std::pow(regimen::path_norm(net, {inputs}, p), p); };
        CHECK(penalty.item<double>() == Approx(value()).epsilon(1e-12));
        const at::NoGradGuard no_grad;
        for (std::size_t k = 0; k < gradients.size(); ++k) {
          const at::Tensor flat = net->parameters()[k].view({-1});
          for (std::int64_t i = 0; i < flat.numel(); ++i) {
            const double kept = flat[i].item<double>();
            const double step = 1e-5 * std::max(std::abs(kept), 0.01);
            flat[i] = kept + step;
            const double above = value();
            flat[i] = kept - step;
            const double below = value();
            flat[i] = kept;
            CAPTURE(inputs, variance, p, k, i);
            const double slope = (above - below) / (2 * step);
            CHECK(gradients[k].view({-1})[i].item<double>() ==
                  Approx(slope).epsilon(1e-5).margin(1e-9 * std::abs(above) / step));
          }
        }
      }
    }
  }
}

TEST_CASE("PathNorm: between the forward and the backward pass of a loss it adds its gradient and disturbs nothing") {
  Sequential net = normalized_net();
  randomize(*net, 17);
  net->train();
  const at::Tensor x = at::randn({6, 3}, at::kDouble);
  const Model model(net);
  const PathNorm regularizer{.strength = 0.01};

  // The statistics move with each forward pass, and the penalty follows them: both at the same ones.
  const regimen::Snapshot start(net);
  net->forward(x).square().mean().backward();
  const std::vector<at::Tensor> loss_alone = gradients_of(net);
  regularizer.penalty(path_pass(model, 3)).backward();
  const std::vector<at::Tensor> penalty_alone = gradients_of(net);

  start.restore();
  const at::Tensor loss = net->forward(x).square().mean();
  const at::Tensor penalty = regularizer.penalty(path_pass(model, 3));
  CHECK_NOTHROW((loss + penalty).backward());
  const std::vector<at::Tensor> together = gradients_of(net);
  for (std::size_t i = 0; i < together.size(); ++i) {
    CAPTURE(i);
    CHECK(furthest(together[i], loss_alone[i] + penalty_alone[i]) < 1e-12);
    CHECK(penalty_alone[i].abs().max().item<double>() > 0);
  }
}

TEST_CASE("PathNorm: puts parameters, buffers, gradients and modes back, also after an exception") {
  Sequential net = normalized_net();
  randomize(*net, 19);
  net->train();
  net->forward(at::randn({6, 3}, at::kDouble)).sum().backward();
  net->parameters()[1].mutable_grad() = at::Tensor();
  net[1]->eval();
  const Kept kept(*net);
  const Model model(net);
  (void)PathNorm{}.penalty(path_pass(model, 3));
  kept.check();
  const Model fails(net, [](Sequential&, const Batch&) -> at::Tensor { throw std::runtime_error("no output"); });
  CHECK_THROWS_AS((void)PathNorm{}.penalty(path_pass(fails, 3)), std::runtime_error);
  kept.check();
  check_error([] { (void)PathNorm{}.penalty({}); }, {"PathNorm", "Pass.model"});
}

TEST_CASE("PathNorm: parameters that are not trained are given no gradient") {
  Sequential net = small_mlp();
  randomize(*net, 23);
  net->parameters()[0].set_requires_grad(false);
  const Model model(net);
  const at::Tensor penalty = PathNorm{.strength = 1}.penalty(path_pass(model, 2));
  CHECK(penalty.item<double>() == Approx(brute_force(net, 2)).epsilon(1e-12));
  penalty.backward();
  CHECK_FALSE(net->parameters()[0].grad().defined());
  CHECK(net->parameters()[2].grad().defined());
}

TEST_CASE("PathNorm: a step along it makes the path norm smaller") {
  Sequential net = small_mlp(4, 8, 3);
  randomize(*net, 29);
  const Model model(net);
  torch::optim::SGD optimizer(net->parameters(), 0.01);
  double before = regimen::path_norm(net, {4});
  for (int i = 0; i < 5; ++i) {
    optimizer.zero_grad();
    PathNorm{.strength = 0.01}.penalty(path_pass(model, 4)).backward();
    optimizer.step();
    const double after = regimen::path_norm(net, {4});
    CHECK(after < before);
    before = after;
  }
}

TEST_CASE("ClipGradients: is LibTorch's clip_grad_norm_, bit for bit") {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    for (const double max_norm : {0.1, 0.37, 1.0, 1.5, 3.3}) {
      for (const double factor : {1e-3, 0.1, 1.0, 100.0}) {
        CAPTURE(type, max_norm, factor);
        std::vector<at::Tensor> ours;
        std::vector<at::Tensor> theirs;
        at::manual_seed(1);
        for (const std::int64_t n : {3, 50, 7}) {
          const at::Tensor gradient = at::randn({n, 2}, type) * factor;
          for (std::vector<at::Tensor>* const each : {&ours, &theirs}) {
            each->push_back(at::zeros({n, 2}, type).requires_grad_(true));
            each->back().mutable_grad() = gradient.clone();
          }
        }
        ours.push_back(at::zeros({2}, type).requires_grad_(true));  // one without a gradient
        ClipGradients{.max_norm = max_norm}.gradient({.parameters = ours});
        torch::nn::utils::clip_grad_norm_(theirs, max_norm);
        for (std::size_t i = 0; i < theirs.size(); ++i) {
          CHECK(ours[i].grad().equal(theirs[i].grad()));
        }
        CHECK_FALSE(ours.back().grad().defined());
      }
    }
  }
}

TEST_CASE("ClipGradients: leaves gradients within the bound as they are, and none at all too") {
  at::Tensor a = parameter({0, 0});
  a.mutable_grad() = at::tensor({0.3F, 0.4F});
  ClipGradients{.max_norm = 0.51}.gradient(pass_of(a));
  CHECK(a.grad().equal(at::tensor({0.3F, 0.4F})));
  a.mutable_grad() = at::zeros({2});
  ClipGradients{.max_norm = 1}.gradient(pass_of(a));
  CHECK(a.grad().equal(at::zeros({2})));
  CHECK_NOTHROW(ClipGradients{}.gradient({}));
  CHECK_NOTHROW(ClipGradients{}.gradient(pass_of(parameter({1}))));
}

TEST_CASE("MaxNorm: scales rows above the bound back to it, and touches nothing else") {
  const at::Tensor matrix = parameter({3, 4, 0.3, 0.4, 0, 0, -6, 8}).detach().view({4, 2}).requires_grad_(true);
  const at::Tensor bias = parameter({100, 200});
  const at::Tensor kernel = at::full({2, 3, 2, 2}, 1.0F).requires_grad_(true);
  {
    const at::NoGradGuard no_grad;
    at::Tensor second = kernel[1];
    second.fill_(0.1F);
  }
  MaxNorm{.bound = 2}.weights({.parameters = {matrix, bias, kernel}});
  CHECK(furthest(matrix, at::tensor({1.2, 1.6, 0.3, 0.4, 0., 0., -1.2, 1.6}).view({4, 2})) < 1e-6);
  CHECK(matrix.slice(0, 1, 3).equal(at::tensor({0.3F, 0.4F, 0.0F, 0.0F}).view({2, 2})));
  CHECK(bias.equal(at::tensor({100.0F, 200.0F})));
  CHECK(kernel[0].norm().item<double>() == Approx(2).epsilon(1e-6));
  CHECK(kernel[1].equal(at::full({3, 2, 2}, 0.1F)));
  CHECK(matrix.requires_grad());
  CHECK(matrix.is_leaf());
}

TEST_CASE("MaxNorm: a unit of a transposed convolution is what goes out of one of its input channels") {
  torch::nn::ConvTranspose2d transposed(torch::nn::ConvTranspose2dOptions(2, 3, 2));
  const at::Tensor& weight = transposed->weight;
  REQUIRE(weight.sizes() == at::IntArrayRef({2, 3, 2, 2}));  // [in, out, ...]
  {
    const at::NoGradGuard no_grad;
    weight.select(0, 0).fill_(1);     // |w| = sqrt(12)
    weight.select(0, 1).fill_(0.1F);  // |w| = sqrt(0.12), within the bound
  }
  MaxNorm{.bound = 2}.weights({.parameters = {weight}});
  CHECK(weight[0].norm().item<double>() == Approx(2).epsilon(1e-6));
  CHECK(weight[1].equal(at::full({3, 2, 2}, 0.1F)));
}

TEST_CASE("regularize: a lambda from a pass to a tensor is a penalty") {
  const AnyRegularizer confident = [](const Pass& pass) { return pass.output.square().mean() * 3; };
  CHECK(confident.has_penalty());
  CHECK(confident.penalty({.output = at::tensor({1.0F, 2.0F})}).item<double>() == Approx(7.5));
  CHECK(confident.manifest() == "\"lambda\"");
  CHECK_NOTHROW(confident.gradient({}));
  CHECK_NOTHROW(confident.weights({}));
}

TEST_CASE("regularize: one that works on taps and on the batch sees them") {
  const at::Tensor x = at::tensor({1.0F, -2.0F});
  std::vector<at::Tensor> seen;
  {
    const regimen::Taps taps;
    (void)regimen::tap(x * 2);
    seen = taps.tensors();
  }
  const AnyRegularizer sparse = [](const Pass& pass) { return pass.taps.at(0).abs().sum() + pass.batch.data.sum(); };
  CHECK(sparse.penalty({.batch = {.data = x}, .taps = seen}).item<double>() == Approx(5));
}

TEST_CASE("regularize: each hook that a struct has is called, and only those") {
  std::vector<std::string> log;
  const AnyRegularizer every = EveryHook{.strength = 2, .log = &log};
  at::Tensor weight = parameter({1, 2});
  CHECK(every.has_penalty());
  CHECK(every.penalty(pass_of(weight)).item<double>() == 6);
  weight.mutable_grad() = at::ones({2});
  every.gradient(pass_of(weight));
  CHECK(weight.grad().equal(at::full({2}, 2.0F)));
  every.weights(pass_of(weight));
  CHECK(weight.equal(at::tensor({3.0F, 4.0F})));
  CHECK(log == std::vector<std::string>{"penalty", "gradient", "weights"});

  const AnyRegularizer clip = ClipGradients{.max_norm = 1};
  CHECK_FALSE(clip.has_penalty());
  CHECK_FALSE(clip.penalty(pass_of(weight)).defined());
  clip.weights(pass_of(weight));
  CHECK(weight.equal(at::tensor({3.0F, 4.0F})));

  const AnyRegularizer l2 = L2{.strength = 2};
  weight.mutable_grad() = at::ones({2});
  l2.gradient(pass_of(weight));
  l2.weights(pass_of(weight));
  CHECK(weight.grad().equal(at::ones({2})));
  CHECK(weight.equal(at::tensor({3.0F, 4.0F})));
  CHECK(l2.penalty(pass_of(weight)).item<double>() == Approx(25));
}

TEST_CASE("regularize: every field's bound is checked where the regularizer is put to use") {
  const auto use = [](auto regularizer) { return [regularizer] { (void)AnyRegularizer(regularizer); }; };
  for (const double value : {-0.1, not_a_number}) {
    const std::string text = "is " + regimen::detail::text(value);
    check_error(use(L2{.strength = value}), {"L2.strength", "at least 0", text.c_str()});
    check_error(use(L1{.strength = value}), {"L1.strength", "at least 0", text.c_str()});
    check_error(use(PathNorm{.strength = value}), {"PathNorm.strength", "at least 0", text.c_str()});
    check_error(use(PathNorm{.p = value}), {"PathNorm.p", "at least 1", text.c_str()});
    check_error(use(PathNorm{.epsilon = value}), {"PathNorm.epsilon", "in [0, 1)", text.c_str()});
    check_error(use(ClipGradients{.max_norm = value}), {"ClipGradients.max_norm", "above 0", text.c_str()});
    check_error(use(MaxNorm{.bound = value}), {"MaxNorm.bound", "above 0", text.c_str()});
  }
  check_error(use(PathNorm{.p = 0.99}), {"PathNorm.p", "at least 1", "is 0.99"});
  check_error(use(ClipGradients{.max_norm = 0}), {"ClipGradients.max_norm", "is 0"});
  check_error(use(MaxNorm{.bound = 0}), {"MaxNorm.bound", "is 0"});
  CHECK_NOTHROW(AnyRegularizer(L2{.strength = 0}));
  CHECK_NOTHROW(AnyRegularizer(PathNorm{.p = 1}));
  CHECK_NOTHROW(AnyRegularizer(ClipGradients{.max_norm = doubling}));
}

TEST_CASE("a schedule that leaves a regularizer's bounds is an error when it is read") {
  const regimen::Knob negative = [](const regimen::Clock&) { return -1; };
  const at::Tensor weight = at::ones({2, 2}).requires_grad_();
  weight.mutable_grad() = at::ones({2, 2});
  const regimen::Pass pass{.parameters = {weight}};
  check_error([&] { (void)regimen::L2{.strength = negative}.penalty(pass); }, {"L2.strength", "at least 0", "is -1"});
  check_error([&] { (void)regimen::L1{.strength = negative}.penalty(pass); }, {"L1.strength", "is -1"});
  check_error([&] { regimen::ClipGradients{.max_norm = negative}.gradient(pass); },
              {"ClipGradients.max_norm", "is -1"});
  check_error([&] { regimen::MaxNorm{.bound = negative}.weights(pass); }, {"MaxNorm.bound", "above 0", "is -1"});
}

}  // namespace regularize_test
