// The two-layer network of theory, and its tangent kernel at infinite width.
#include "support/torch.hpp"

#include <cmath>
#include <numbers>

#include <regimen/networks.hpp>
#include <regimen/regimen.hpp>
#include "support/errors.hpp"

namespace two_layer_test {

namespace {

namespace rg = regimen;
using rg::networks::Activation;

rg::networks::TwoLayer network(Activation activation, int inputs, int width, bool zero_start = false) {
  return rg::networks::TwoLayer(rg::networks::TwoLayerOptions{
      .inputs = inputs, .width = width, .activation = activation, .zero_start = zero_start});
}

TEST_CASE("two-layer network: outputs by hand", "[networks]") {
  auto net = network(Activation::relu, 2, 4);
  {
    const at::NoGradGuard no_grad;
    net->weight.copy_(torch::tensor({{1.0, 0.0}, {0.0, 2.0}, {1.0, 1.0}, {-1.0, 0.0}}));
  }
  // relu of 3, -2, 2, -3 with signs + + - - over sqrt(4)
  const at::Tensor x = torch::tensor({{3.0F, -1.0F}});
  CHECK(net->forward(x)[0].item<double>() == Approx((3.0 - 2.0) / 2));
  CHECK(net->parameters().size() == 1);
  CHECK(net->forward(torch::zeros({5, 2})).sizes() == at::IntArrayRef({5}));
}

TEST_CASE("two-layer network: a zero start has outputs of 0, but no Jacobian of 0", "[networks]") {
  for (const Activation activation : {Activation::relu, Activation::softplus, Activation::tanh}) {
    torch::manual_seed(1);
    auto net = network(activation, 3, 40, true);
    const rg::Batch data{.data = torch::randn({6, 3}), .target = torch::zeros({6}, torch::kLong)};
    CHECK(net->forward(data.data).abs().max().item<double>() < 1e-6);
    CHECK(rg::jacobian_singular_values({net, data})[0].item<double>() > 0.1);
  }
}

TEST_CASE("two-layer network: the slopes of the activations are their derivatives", "[networks]") {
  const at::Tensor z = torch::tensor({-3.0, -0.5, 0.25, 2.0}, torch::kDouble);
  for (const Activation activation : {Activation::relu, Activation::softplus, Activation::tanh}) {
    const auto at = [&](double by) { return rg::networks::activated(z + by, activation); };
    const at::Tensor difference = (at(1e-5) - at(-1e-5)) / 2e-5;
    CHECK((difference - rg::networks::activation_slope(z, activation)).abs().max().item<double>() < 1e-9);
    CHECK(rg::networks::activation_of(rg::networks::name_of(activation)) == activation);
  }
  check_error([] { (void)rg::networks::activation_of("gelu"); }, {"relu, softplus or tanh, but is \"gelu\""});
}

TEST_CASE("two-layer network: a clone has its values, and goes its own way", "[networks]") {
  auto net = network(Activation::tanh, 3, 4);
  const auto copy = std::dynamic_pointer_cast<rg::networks::TwoLayerImpl>(net->clone());
  const at::Tensor x = torch::randn({2, 3});
  CHECK(at::equal(copy->forward(x), net->forward(x)));
  {
    const at::NoGradGuard no_grad;
    copy->weight.add_(1);
  }
  CHECK_FALSE(at::equal(copy->forward(x), net->forward(x)));
}

TEST_CASE("two-layer network: bad options and inputs are refused", "[networks]") {
  check_error([] { (void)network(Activation::relu, 2, 3); }, {"TwoLayerOptions.width must be even"});
  check_error([] { (void)network(Activation::relu, 0, 2); }, {"TwoLayerOptions.inputs"});
  check_error([] { (void)network(Activation::relu, 2, 2)->forward(torch::zeros({1, 3})); },
              {"TwoLayer takes inputs of [N, 2] in the type of its weights, Float, not [1, 3]"});
}

TEST_CASE("two-layer network: it computes in double after a conversion, and refuses what it cannot multiply",
          "[networks]") {
  auto net = network(Activation::softplus, 2, 4);
  const at::Tensor x = torch::tensor({{0.5, -1.0}}, torch::kDouble);
  check_error([&] { (void)net->forward(x); }, {"in the type of its weights, Float"});
  const double as_float = net->forward(x.to(torch::kFloat)).item<double>();
  net->to(torch::kDouble);
  CHECK(net->forward(x).item<double>() == Approx(as_float).margin(1e-6));
}

TEST_CASE("expected tangent kernel: relu at known angles", "[networks]") {
  // Norms 1, 2 and 3; angles 0, 60 and 90 degrees to the first: x.y (pi - angle) / 2 pi.
  const at::Tensor x = torch::tensor({{1.0, 0.0}, {1.0, std::sqrt(3.0)}, {0.0, 3.0}}, torch::kDouble);
  const at::Tensor kernel = rg::networks::expected_tangent_kernel(x, Activation::relu);
  CHECK(kernel[0][0].item<double>() == Approx(0.5));
  CHECK(kernel[1][1].item<double>() == Approx(2.0));
  CHECK(kernel[0][1].item<double>() == Approx(1.0 / 3));
  CHECK(kernel[0][2].item<double>() == Approx(0).margin(1e-12));
  CHECK(kernel[1][2].item<double>() == Approx(3 * std::sqrt(3.0) * 5 / 12));
  // Equal directions, and opposite ones, of which no unit is active for both.
  const at::Tensor line = torch::tensor({{0.6, 0.8}, {1.2, 1.6}, {-0.6, -0.8}}, torch::kDouble);
  const at::Tensor on_line = rg::networks::expected_tangent_kernel(line, Activation::relu);
  CHECK(on_line[0][1].item<double>() == Approx(1.0).epsilon(1e-14));
  CHECK(on_line[0][2].item<double>() == Approx(0).margin(1e-15));
}

TEST_CASE("expected tangent kernel: smooth activations agree with integrals of scipy", "[networks]") {
  // E[phi'(x.g) phi'(y.g)] x.y by scipy.integrate.quad and dblquad.
  const at::Tensor x = torch::tensor({{1.0, 0.0}, {0.6, 0.8}, {-1.0, 0.0}}, torch::kDouble);
  const at::Tensor softplus = rg::networks::expected_tangent_kernel(x, Activation::softplus);
  const at::Tensor tanh = rg::networks::expected_tangent_kernel(x, Activation::tanh);
  CHECK(softplus[0][0].item<double>() == Approx(0.293379035858093).epsilon(1e-11));
  CHECK(softplus[0][1].item<double>() == Approx(0.165454959723609).epsilon(1e-11));
  CHECK(softplus[0][2].item<double>() == Approx(-0.206620964141907).epsilon(1e-11));
  CHECK(tanh[0][0].item<double>() == Approx(0.464402902448268).epsilon(1e-11));
  CHECK(tanh[0][1].item<double>() == Approx(0.236152678856864).epsilon(1e-11));
  CHECK(at::equal(softplus, softplus.t()));
}

TEST_CASE("expected tangent kernel: wide networks tend to it", "[networks]") {
  for (const Activation activation : {Activation::relu, Activation::softplus, Activation::tanh}) {
    torch::manual_seed(3);
    auto net = network(activation, 5, 40000);
    const at::Tensor x = torch::randn({4, 5});
    const at::Tensor data = x / x.norm(2, 1, /*keepdim=*/true);
    const at::Tensor j = rg::jacobian({net, rg::Batch{.data = data, .target = torch::zeros({4}, torch::kLong)}});
    const at::Tensor difference = j.matmul(j.t()) - rg::networks::expected_tangent_kernel(data, activation);
    // Means over 40,000 units of products of slopes, at most 1: the standard error is below 0.0025.
    CHECK(difference.abs().max().item<double>() < 0.011);
  }
}

TEST_CASE("expected tangent kernel: inputs without a direction are refused", "[networks]") {
  check_error([] { (void)rg::networks::expected_tangent_kernel(torch::zeros({2, 3}), Activation::relu); },
              {"the norm of an input must be above 0 and finite, but is 0"});
  check_error([] { (void)rg::networks::expected_tangent_kernel(torch::zeros({3}), Activation::tanh); },
              {"takes inputs of [n, d]"});
}

}  // namespace

}  // namespace two_layer_test
