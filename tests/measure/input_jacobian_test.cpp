#include "support/small_networks.hpp"

#include <cmath>
#include <vector>

#include <regimen/regimen.hpp>
#include "support/tensors.hpp"

namespace input_jacobian_test {

namespace {

using regimen::InMemory;
using regimen::InputJacobianNorm;
using regimen::InputJacobianSpectralNorm;
using regimen::InputJacobianSquare;
using regimen::Source;
using torch::nn::Linear;
using torch::nn::LinearOptions;
using torch::nn::Sequential;

Sequential one_matrix() {
  Sequential net(Linear(2, 2));
  net->to(at::kDouble);
  const at::NoGradGuard no_grad;
  net->parameters()[0].copy_(at::tensor({1.0, 2.0, 3.0, 4.0}, at::kDouble).view({2, 2}));
  return net;
}

/// A smooth network with convolution and BatchNorm.
Sequential smooth() {
  Sequential net(torch::nn::Conv2d(torch::nn::Conv2dOptions(2, 3, 3).padding(1).bias(false)), torch::nn::BatchNorm2d(3),
                 torch::nn::Tanh(), torch::nn::Flatten(), Linear(27, 4));
  net->to(at::kDouble);
  randomize(*net, 3);
  return net;
}

/// The Jacobian of each sample, [N, outputs, inputs], by central differences.
at::Tensor by_differences(Sequential& net, const at::Tensor& x) {
  const at::NoGradGuard no_grad;
  net->eval();
  const double h = 1e-5;
  std::vector<at::Tensor> columns;
  for (std::int64_t i = 0; i < x[0].numel(); ++i) {
    at::Tensor step = at::zeros_like(x);
    step.flatten(1).select(1, i).fill_(h);
    columns.push_back((net->forward(x + step) - net->forward(x - step)) / (2 * h));
  }
  return at::stack(columns, 2);
}

}  // namespace

TEST_CASE("input Jacobian: of a linear layer it is the matrix, for any number of samples") {
  Sequential net = one_matrix();
  for (const std::int64_t samples : {1, 5}) {
    const Source data = InMemory({.data = at::randn({samples, 2}, at::kDouble)});
    CHECK(InputJacobianNorm{.data = data}(net) == Approx(std::sqrt(30)).epsilon(1e-12));  // 5.4772256
    CHECK(InputJacobianSpectralNorm{.data = data}(net) == Approx(5.4649857042190426).epsilon(1e-12));
    CHECK(InputJacobianSpectralNorm{.data = data, .iterations = 100}(net) == Approx(5.4649857042190426).epsilon(1e-9));
  }
}

TEST_CASE("input Jacobian: norms are averaged, not their squares") {
  // One ReLU unit, on and off: Jacobians of norm 2 and 0.
  Sequential net(Linear(LinearOptions(1, 1).bias(false)), torch::nn::ReLU());
  const at::NoGradGuard no_grad;
  net->parameters()[0].fill_(2);
  const Source data = InMemory({.data = at::tensor({1.F, -1.F}).view({2, 1})});
  CHECK(InputJacobianNorm{.data = data}(net) == 1);
  CHECK(InputJacobianSpectralNorm{.data = data}(net) == 1);
  CHECK(InputJacobianSpectralNorm{.data = data, .iterations = 50}(net) == Approx(1));
  const auto square = regimen::input_jacobian_square(net, data, {}, {.most = 4000, .relative = 0.05});
  CHECK(square.converged);
  CHECK(std::abs(square.value - 2) < 2 * square.half_width);
}

TEST_CASE("input Jacobian: of a network it is what differences say, sample by sample") {
  Sequential net = smooth();
  const at::Tensor x = at::randn({10, 2, 3, 3}, at::kDouble);
  net->train();
  net->forward(x).sum().backward();  // gradients and statistics that must stay
  const at::Tensor expected = by_differences(net, x);
  net->train();
  const double frobenius = expected.flatten(1).norm(2, {1}).mean().item<double>();
  const double spectral = at::linalg_svdvals(expected).amax(1).mean().item<double>();
  const double square = expected.square().sum().item<double>() / 10;
  const Kept kept(*net);
  for (const std::int64_t batch : {1, 7, 10}) {
    CAPTURE(batch);
    const Source data = InMemory({.data = x});
    CHECK(InputJacobianNorm{.data = data, .how = {.batch = batch}}(net) == Approx(frobenius).epsilon(1e-8));
    CHECK(InputJacobianSpectralNorm{.data = data, .how = {.batch = batch}}(net) == Approx(spectral).epsilon(1e-8));
    CHECK(InputJacobianSpectralNorm{.data = data, .how = {.batch = batch}, .iterations = 500}(net) ==
          Approx(spectral).epsilon(1e-7));
    const auto drawn = regimen::input_jacobian_square(net, data, {.batch = batch}, {.least = 50, .most = 50});
    CHECK(std::abs(drawn.value - square) < 2 * drawn.half_width);
    CHECK(drawn.half_width < 0.2 * square);
    CHECK(drawn.passes == 50);
  }
  kept.check();
}

TEST_CASE("input Jacobian: draws are functions of the seed, the sample and the draw") {
  Sequential net = smooth();
  const at::Tensor x = at::randn({6, 2, 3, 3}, at::kDouble);
  const Source data = InMemory({.data = x});
  const auto value = [&](std::uint64_t seed, std::int64_t batch) {
    return InputJacobianSquare{
        .data = data, .how = {.batch = batch}, .draws = {.least = 3, .most = 3, .seed = seed}}(net)
        .at("value");
  };
  CHECK(value(1, 6) == Approx(value(1, 4)).epsilon(1e-12));
  CHECK(value(1, 6) == Approx(value(1, 1)).epsilon(1e-12));
  CHECK(value(1, 6) != Approx(value(2, 6)).epsilon(1e-3));
  const at::Tensor before = at::globalContext().defaultGenerator(at::kCPU).get_state();
  (void)value(1, 6);
  CHECK(before.equal(at::globalContext().defaultGenerator(at::kCPU).get_state()));
  const regimen::AnyMeasure measure = InputJacobianSquare{.data = data};
  CHECK(measure.names("jacobian") == std::vector<std::string>{"jacobian_value", "jacobian_half_width"});
}

TEST_CASE("input Jacobian: frozen parameters and a pass without gradients do not matter") {
  Sequential net = smooth();
  const Source data = InMemory({.data = at::randn({4, 2, 3, 3}, at::kDouble)});
  const double before = InputJacobianNorm{.data = data}(net);
  for (at::Tensor parameter : net->parameters()) {
    parameter.set_requires_grad(false);
  }
  const at::NoGradGuard no_grad;
  CHECK(InputJacobianNorm{.data = data}(net) == before);
  CHECK(InputJacobianSpectralNorm{.data = data, .iterations = 500}(net) > 0);
  CHECK_FALSE(at::GradMode::is_enabled());
}

TEST_CASE("input Jacobian: what is not finite gives NaN") {
  Sequential net = one_matrix();
  const Source data = InMemory({.data = at::randn({3, 2}, at::kDouble)});
  const at::NoGradGuard no_grad;
  net->parameters()[0].fill_(std::nan(""));
  CHECK(std::isnan(InputJacobianNorm{.data = data}(net)));
  CHECK(std::isnan(InputJacobianSpectralNorm{.data = data}(net)));
  CHECK(std::isnan(InputJacobianSpectralNorm{.data = data, .iterations = 5}(net)));
  const regimen::Numbers drawn = InputJacobianSquare{.data = data}(net);
  CHECK(std::isnan(drawn.at("value")));
  CHECK(std::isnan(drawn.at("half_width")));
  const auto estimate = regimen::input_jacobian_square(net, data);
  CHECK(estimate.draws == 1);
  CHECK_FALSE(estimate.converged);
  net->parameters()[0].fill_(1e300);  // squares overflow
  CHECK(std::isnan(InputJacobianSquare{.data = data}(net).at("value")));
}

TEST_CASE("input Jacobian: a spectral norm whose iteration has not ended is NaN") {
  Sequential net = one_matrix();
  const Source data = InMemory({.data = at::randn({3, 2}, at::kDouble)});
  CHECK(std::isnan(InputJacobianSpectralNorm{.data = data, .iterations = 1}(net)));
  CHECK(InputJacobianSpectralNorm{.data = data, .iterations = 1000}(net) == Approx(5.4649857042190426).epsilon(1e-9));
}

TEST_CASE("input Jacobian: inputs without slope, missing data and wrong settings are errors") {
  Sequential net = one_matrix();
  Sequential table(torch::nn::Embedding(5, 2));
  check_error([&] { (void)InputJacobianNorm{}(net); }, {"InputJacobianNorm.data"});
  check_error([&] { (void)InputJacobianNorm{.data = InMemory({.data = longs({1, 2})})}(table); },
              {"InputJacobianNorm", "floating"});
  struct Constant : torch::nn::Module {
    at::Tensor forward(const at::Tensor& x) { return at::ones({x.size(0), 2}); }
  } constant;
  check_error([&] { (void)InputJacobianNorm{.data = InMemory({.data = at::ones({2, 2})})}(constant); },
              {"does not depend"});
  check_error([] { InputJacobianSpectralNorm{.iterations = -1}.check(); }, {"InputJacobianSpectralNorm.iterations"});
  check_error([] { InputJacobianSpectralNorm{.tolerance = 1}.check(); }, {"InputJacobianSpectralNorm.tolerance"});
  check_error([] { InputJacobianSquare{.draws = {.least = 1}}.check(); }, {"Draws.least"});
}

}  // namespace input_jacobian_test
